"""What a dataset of a study's author returns, held to the interface `Dataset`: it is used as it is, so it must fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral

import numpy as np

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem

SHOWN = 60
"""Characters of a wrong value in a message."""

HEX = frozenset("0123456789abcdef")


def require_interface(dataset: Dataset) -> None:
    """Refuse a dataset whose attributes are not those of the interface.

    Raises:
        InputError: it lists every such attribute.
    """
    if problems := [*_attribute_problems(dataset)]:
        raise InputError(type(dataset).__name__, problems)


def require_images(images: Sequence[object], dataset: Dataset, *, indices: Sequence[int], size: int) -> None:
    """Refuse images that are no (channels, height, width) uint8 with a shorter side of `size` pixels, one an index.

    Raises:
        InputError: the first image that does not fit, or their number.
    """
    for index, image in zip(indices, images, strict=False):
        must = f"be a NumPy array of uint8 of shape ({dataset.channels}, height, width), its shorter side {size}"
        if not _is_image(image, channels=dataset.channels, size=size):
            raise InputError(type(dataset).__name__, [_problem("images", f"image {index}, {_kind_of(image)},", must)])
    if len(images) != len(indices):
        must = f"yield one image for each of {len(indices)} indices"
        raise InputError(type(dataset).__name__, [_problem("images", f"{len(images)} images", must)])


def require_files(digests: object, names: object, *, count: int, dataset: Dataset) -> None:
    """Refuse digests and names of images that are not one for each image.

    Raises:
        InputError: they are of another kind or number.
    """
    problems = []
    if not all(len(one) == 64 and HEX.issuperset(one) for one in _texts(digests, count=count) or [""]):
        problems.append(_problem("digests", _kind_of(digests), f"be {count} SHA-256 in hex, or an empty list"))
    if _texts(names, count=count) is None:
        problems.append(_problem("names_of", _kind_of(names), f"be {count} texts"))
    if problems:
        raise InputError(type(dataset).__name__, problems)


def _attribute_problems(dataset: Dataset) -> Iterator[Problem]:
    classes, labels = dataset.classes, dataset.labels
    count = len(classes) if isinstance(classes, tuple) else 0
    if not isinstance(classes, tuple) or _texts(classes, count=count) is None or len(set(classes)) < count:
        yield _problem("classes", _shown(classes), "be a tuple of distinct texts")
    elif not _are_labels(labels, classes=count):
        must = f"be a one-dimensional NumPy array of int64 that has each of 0 to {count - 1}"
        yield _problem("labels", _kind_of(labels), must)
    for name, kind in (("fingerprint", str), ("credit", str), ("channels", Integral)):
        value = getattr(dataset, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            yield _problem(name, _shown(value), "be a text" if kind is str else "be an integer")
    if isinstance(dataset.channels, Integral) and dataset.channels not in (1, 3):
        yield _problem("channels", str(dataset.channels), "be 1 for grey or 3 for RGB")
    if dataset.official is not None and not _covers(dataset.official, classes=count):
        must = "be two tuples of class indices, which are disjoint and cover all classes"
        yield _problem("official", _shown(dataset.official), must)
    if not all(isinstance(warning, Problem) for warning in dataset.warnings):
        yield _problem("warnings", _shown(dataset.warnings), "be a tuple of `Problem`")


def _problem(where: str, got: str, must: str) -> Problem:
    says = f"{got} is not allowed here: it must {must}. Correct the class."
    return Problem(0, where, says, "dataset-interface")


def _is_image(image: object, *, channels: int, size: int) -> bool:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        return False
    return bool(image.shape[0] == channels and min(image.shape[1:]) == size)


def _texts(values: object, *, count: int) -> list[str] | None:
    """The values, where these are `count` texts."""
    if not isinstance(values, list | tuple) or len(values) != count:
        return None
    return list(values) if all(isinstance(one, str) for one in values) else None


def _are_labels(labels: object, *, classes: int) -> bool:
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or labels.ndim != 1:
        return False
    return np.array_equal(np.unique(labels), np.arange(classes))


def _covers(official: object, *, classes: int) -> bool:
    if not isinstance(official, Iterable) or isinstance(official, str):
        return False
    halves = [sorted(half) for half in official if isinstance(half, Iterable) and not isinstance(half, str)]
    return len(halves) == 2 and all(halves) and sorted(halves[0] + halves[1]) == list(range(classes))


def _kind_of(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    sized = f" of {len(value)}" if isinstance(value, list | tuple) else ""
    return f"{type(value).__module__}.{type(value).__qualname__}{sized}".removeprefix("builtins.")


def _shown(value: object) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
