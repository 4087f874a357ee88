"""Pixel stores: each half of a dataset, decoded once into memory-mapped bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realitycheck.errors import RunError
from realitycheck.training.cache import publish


@dataclass(frozen=True, slots=True)
class PixelStore:
    """Images of one half, and what they are.

    Args:
        images: (N, C, H, W) uint8, memory-mapped.
        labels: (N,) int64, classes numbered from 0 within this half.
        classes: the class names by label.
        digest: SHA-256 of shape, labels and pixels.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    digest: str

    def counts(self) -> list[int]:
        """Images per class."""
        return [int(each) for each in np.bincount(self.labels, minlength=len(self.classes))]

    def of_classes(self, classes: Sequence[int]) -> NDArray[np.int64]:
        """Indices of the images of some classes, ascending."""
        return np.flatnonzero(np.isin(self.labels, np.asarray(classes, dtype=np.int64)))


def write_store(
    path: Path,
    *,
    images: Iterator[NDArray[np.uint8]],
    labels: Sequence[int],
    classes: Sequence[str],
    shape: tuple[int, int, int],
) -> None:
    """Write a store as `<path>.npy` and, when all pixels are there, `<path>.json`.

    The JSON file is written last, and by renaming: a store without it is unfinished and is made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part.npy")
    pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(labels), *shape))
    sha = hashlib.sha256(json.dumps([list(pixels.shape), list(map(int, labels))]).encode())
    count = 0
    for count, image in enumerate(images, start=1):
        pixels[count - 1] = image
        sha.update(image.tobytes())
    if count != len(labels):
        raise RunError(f"{path}: {len(labels)} images were promised, {count} came.")
    pixels.flush()
    publish(temporary, path.with_suffix(".npy"))
    meta = {"digest": sha.hexdigest(), "labels": list(map(int, labels)), "classes": list(classes)}
    draft = path.with_suffix(f".{os.getpid()}.part.json")
    draft.write_text(json.dumps(meta), encoding="utf-8")
    publish(draft, path.with_suffix(".json"))


def open_store(path: Path) -> PixelStore:
    """Open a finished store.

    Raises:
        RunError: it is not there, or unfinished.
    """
    try:
        meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        images = np.load(path.with_suffix(".npy"), mmap_mode="r")
    except FileNotFoundError as error:
        raise RunError(f"{path}: no finished pixel store is here. `run` the study again: it is made first.") from error
    labels = np.asarray(meta["labels"], dtype=np.int64)
    return PixelStore(images=images, labels=labels, classes=tuple(meta["classes"]), digest=meta["digest"])
