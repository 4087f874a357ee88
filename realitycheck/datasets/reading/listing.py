"""The list of a dataset's images, checked before the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from realitycheck.datasets.base import Official
from realitycheck.errors import Problem, first_few

FORBIDDEN_PARTS = frozenset({"", ".", ".."})
"""Parts of paths that are absolute, lead to a parent folder, or name one file in two ways."""


PLAIN = "not a plain path below the root: `..`, `:` and backslashes are not allowed. Rename it, or correct the list."


@dataclass(frozen=True, slots=True)
class Counts:
    """Published size of a dataset.

    Args:
        classes: number of classes.
        images: number of images.
        official: numbers of trainval and test classes of its split; None if it has none.
    """

    classes: int
    images: int
    official: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ImageList:
    """The images that a dataset lists.

    Args:
        paths: paths below the root, with forward slashes.
        labels: class index of each image.
        classes: class names in label order.
        in_test: whether each image is on the test side; None if no split is listed.
        complete: folders below the root in which every image must be listed; `.` is the root.
    """

    paths: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    in_test: tuple[bool, ...] | None
    complete: tuple[str, ...]


def listing_problems(listing: ImageList, counts: Counts | None) -> Iterator[Problem]:
    """Yield every problem of a list that does not depend on the files."""
    if outside := [path for path in listing.paths if not is_inside(path)]:
        yield Problem(0, first_few(outside), PLAIN, "path-outside")
    names = (*listing.classes, *listing.paths)
    if odd := list(dict.fromkeys(name for name in names if not is_text(name))):
        yield Problem(0, first_few(odd), "the name is not UTF-8. Rename it.", "name-encoding")
    if twice := [path for path, count in Counter(listing.paths).items() if count > 1]:
        yield Problem(0, first_few(twice), "duplicate path. Remove the second line.", "path-duplicate")
    if named := [name for name, count in Counter(listing.classes).items() if count > 1]:
        yield Problem(0, first_few(named), "duplicate class name. Rename one of the classes.", "class-duplicate")
    used = set(listing.labels)
    if empty := [name for index, name in enumerate(listing.classes) if index not in used]:
        yield Problem(0, first_few(empty), "no images in this class; add some or remove the class.", "class-empty")
    if both := [listing.classes[label] for label in sorted(_overlap(listing))]:
        says = "images of this class are in trainval and in test. Move them to one side."
        yield Problem(0, first_few(both), says, "class-on-both-sides")
    if listing.in_test and len(set(listing.in_test)) == 1:
        side, other = ("test", "trainval") if listing.in_test[0] else ("trainval", "test")
        yield Problem(0, "split", f"all classes are in {side}; add classes to {other}.", "split-one-sided")
    if counts:
        yield from _count_problems(listing, counts)


def _count_problems(listing: ImageList, counts: Counts) -> Iterator[Problem]:
    actual = Counts(len(listing.classes), len(listing.paths), _sizes(official_split(listing)))
    for name, published, count in (
        ("classes", counts.classes, actual.classes),
        ("images", counts.images, actual.images),
        ("official split", counts.official, actual.official),
    ):
        if published != count and not (name == "official split" and _overlap(listing)):
            says = f"expected {_in_words(published)}, got {_in_words(count)}. Extract the official archive again."
            yield Problem(0, name, says, "count-mismatch")


def _in_words(count: int | tuple[int, int] | None) -> str:
    if isinstance(count, tuple):
        return f"{count[0]:,} trainval and {count[1]:,} test classes"
    return "none" if count is None else f"{count:,}"


def _sizes(official: Official | None) -> tuple[int, int] | None:
    return None if official is None else (len(official[0]), len(official[1]))


def _sides(listing: ImageList) -> tuple[set[int], set[int]]:
    pairs = set(zip(listing.labels, listing.in_test or (), strict=False))
    return {label for label, test in pairs if not test}, {label for label, test in pairs if test}


def _overlap(listing: ImageList) -> set[int]:
    trainval, test = _sides(listing)
    return trainval & test


def official_split(listing: ImageList) -> Official | None:
    """Return the classes of both sides in label order, or None if no split is listed."""
    if listing.in_test is None:
        return None
    trainval, test = _sides(listing)
    return tuple(sorted(trainval)), tuple(sorted(test))


def is_inside(path: str) -> bool:
    """Return whether a listed path can only lead below the root, on any operating system."""
    plain = "\\" not in path and ":" not in path and "\0" not in path
    return plain and FORBIDDEN_PARTS.isdisjoint(path.split("/"))


def is_text(name: str) -> bool:
    """Return whether a name is UTF-8; Python reads other bytes of a file's name as surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def repeated(sizes: list[int]) -> tuple[int, ...]:
    """Return the labels of images sorted by class: `sizes[0]` times 0, `sizes[1]` times 1, …"""
    return tuple(np.repeat(np.arange(len(sizes)), sizes).tolist())
