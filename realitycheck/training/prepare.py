"""From a dataset to its two pixel stores: trainval and test, cut by class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realitycheck.canonical import digest
from realitycheck.datasets.base import Dataset
from realitycheck.plan.splits import split_classes
from realitycheck.protocol.model import Protocol
from realitycheck.training.pixels import write_store


@dataclass(frozen=True, slots=True)
class Stores:
    """The two pixel stores of a dataset: where they lie, their digests, and the size of each of their classes."""

    trainval: Path
    test: Path
    trainval_digest: str
    test_digest: str
    trainval_sizes: tuple[tuple[str, int], ...]
    test_sizes: tuple[tuple[str, int], ...]


def prepare(dataset: Dataset, protocol: Protocol, cache: Path) -> Stores:
    """Make what is missing of a dataset's two stores.

    A finished store is used again as long as the dataset's fingerprint and the split are the same.
    """
    size = protocol.recipe.image_size
    rule = protocol.split
    key = digest([dataset.fingerprint, size, rule.model_dump(mode="json")])[:16]
    split = split_classes(len(dataset.classes), order=rule.order, seed=rule.seed)
    paths = (cache / "stores" / key / "trainval", cache / "stores" / key / "test")
    for path, classes in zip(paths, (split.trainval, split.test), strict=True):
        if not path.with_suffix(".json").exists():
            _write_half(dataset, classes, size, path)
    (trainval, sizes), (test, test_sizes) = map(_facts, paths)
    return Stores(*paths, trainval, test, sizes, test_sizes)


def _facts(path: Path) -> tuple[str, tuple[tuple[str, int], ...]]:
    meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    counts = np.bincount(meta["labels"], minlength=len(meta["classes"]))
    return meta["digest"], tuple(zip(meta["classes"], counts.tolist(), strict=True))


def _write_half(dataset: Dataset, classes: Sequence[int], size: int, path: Path) -> None:
    """Images in the order of their classes, classes numbered from 0 in the order of the split."""
    members = [np.flatnonzero(dataset.labels == each) for each in classes]
    indices = [int(each) for group in members for each in group]
    labels = [label for label, group in enumerate(members) for _ in group]
    write_store(
        path,
        images=dataset.images(indices, size=size),
        labels=labels,
        classes=[dataset.classes[each] for each in classes],
        shape=(dataset.channels, size, size),
    )
