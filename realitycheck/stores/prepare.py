"""From a dataset to its two pixel stores: trainval and test, cut by class."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realitycheck.canonical import digest
from realitycheck.datasets.base import Dataset
from realitycheck.errors import RunError
from realitycheck.plan.splits import split_classes
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.cache import publish, publish_json
from realitycheck.stores.decode_parts import Decoding, Watch

HALVES = ("trainval", "test")


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores of a dataset: where they lie, their digests, and the size of each of their classes."""

    trainval: Path
    test: Path
    trainval_digest: str
    test_digest: str
    trainval_sizes: tuple[tuple[str, int], ...]
    test_sizes: tuple[tuple[str, int], ...]


def prepare(dataset: Dataset, protocol: Protocol, home: Path, *, watch: Watch) -> Stores:
    """Make what is missing of a dataset's two pixel stores; images that an interrupted attempt decoded stay decoded.

    A finished store is used again as long as the dataset's fingerprint, the sizes and the split are the same. It keeps
    the manifest of its files, if there are any: their names and their digests, which are part of its own.

    Args:
        dataset: the images.
        protocol: their size and their split.
        home: the folder of the dataset's stores.
        watch: sees how many images of a half are decoded.

    Raises:
        InputError: images cannot be read, or the dataset cannot be split; it names all that is wrong.
    """
    recipe, rule = protocol.recipe, protocol.split
    sizes = [recipe.image_size] if recipe.resize is None else [recipe.resize, "whole"]
    place = home / digest([dataset.fingerprint, *sizes, rule.model_dump(mode="json")])[:16]
    split = split_classes(len(dataset.classes), order=rule.order, seed=rule.seed, official=dataset.official)
    paths = [place / half for half in HALVES]
    for path, classes in zip(paths, (split.trainval, split.test), strict=True):
        if not path.with_suffix(".json").exists():
            _write_half(dataset, classes, recipe, path, watch)
    (trainval, sizes_of), (test, test_sizes) = map(_facts, paths)
    return Stores(paths[0], paths[1], trainval, test, sizes_of, test_sizes)


def _facts(path: Path) -> tuple[str, tuple[tuple[str, int], ...]]:
    meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    counts = np.bincount(meta["labels"], minlength=len(meta["classes"]))
    return meta["digest"], tuple(zip(meta["classes"], counts.tolist(), strict=True))


def _write_half(dataset: Dataset, classes: Sequence[int], recipe: Recipe, path: Path, watch: Watch) -> None:
    """Images in the order of their classes, classes numbered from 0 in the order of the split."""
    members = [np.flatnonzero(dataset.labels == each) for each in classes]
    indices = [int(each) for group in members for each in group]
    size, square = recipe.resize or recipe.image_size, recipe.resize is None
    decoding = Decoding(dataset, indices, size, square, path.with_suffix(".parts"))
    decoding.decode(watch=watch)
    meta = {
        "labels": [label for label, group in enumerate(members) for _ in group],
        "classes": [dataset.classes[each] for each in classes],
        "files": dataset.digests(indices),
    }
    if meta["files"]:
        meta["names"] = dataset.names_of(indices)
    _join(decoding, meta, path, shape=(dataset.channels, size, size) if square else None)


def _join(decoding: Decoding, meta: dict[str, Any], path: Path, *, shape: tuple[int, int, int] | None) -> None:
    """One file of all pixels; the JSON file comes last, and by renaming: a store without it is unfinished."""
    sizes = decoding.sizes()
    count = len(meta["labels"])
    if len(sizes) != count:
        raise RunError(f"{path}: {count} images were promised, {len(sizes)} came.")
    if shape is None:
        meta |= {"sizes": sizes.tolist(), "channels": decoding.dataset.channels}
    whole = (count, *shape) if shape else (int(sizes.prod(axis=1).sum()) * decoding.dataset.channels,)
    draft = path.with_suffix(f".{os.getpid()}.part.npy")
    told = [meta["files"], sizes.tolist()] if shape is None else [meta["files"]] if meta["files"] else []
    sha = hashlib.sha256(json.dumps([list(whole), meta["labels"], *told]).encode())
    # Written, not mapped: mapped pages of 24 GB would count as memory in use.
    with draft.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": whole}
        np.lib.format.write_array_header_1_0(file, header)
        for part in decoding.pixels():
            file.write(part.data)
            sha.update(part.data)
    publish(draft, path.with_suffix(".npy"))
    publish_json(path.with_suffix(".json"), {"digest": sha.hexdigest(), **meta})
    decoding.forget()
