"""Quick, Draw! bitmaps: one file of drawings per class."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.disk import KIND_PROBLEMS, needed_folder
from realitycheck.datasets.reading.listing import repeated
from realitycheck.errors import InputError, Problem, first_few

SIDE = 28

FIRST = 100
"""Drawings to read per class, as many as the embedded sketches have. A file has about 145,000, too many for one class
of a retrieval benchmark: every query would have as many positives."""


class QuickDraw(Dataset):
    """Any classes of the Quick, Draw! bitmaps, with the first 100 drawings of each; classes are the sorted file names.

    Args:
        root: a folder with `<class>.npy` files, (n, 784) uint8 each, as in Google's `numpy_bitmap` folder.

    Raises:
        InputError: if there are no such files, some hold other arrays, or links lead out of the folder.
    """

    credit = (
        "Quick, Draw! data made available by Google, Inc. under the Creative Commons Attribution 4.0 International "
        "licence (CC BY 4.0); the first 100 drawings of each class."
    )
    channels = 1

    def __init__(self, *, root: str) -> None:
        self.root = needed_folder(root, layout="one <class>.npy file per class")
        self._classes = tuple(sorted(path.name.removesuffix(".npy") for path in self.root.glob("[!.]*.npy")))
        problems = list(_outside(self.root, self._classes)) or list(_problems(self.root, self._classes))
        if problems:
            raise InputError(root, problems)
        counts = [min(len(_drawings(self.root, name)), FIRST) for name in self._classes]
        self._labels = np.array(repeated(counts), dtype=np.int64)
        self._starts = np.cumsum([0, *counts])

    @property
    def classes(self) -> tuple[str, ...]:
        """File names without `.npy`, sorted."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) labels sorted by class; drawings are in the order of the file."""
        return self._labels

    @property
    def fingerprint(self) -> str:
        """SHA-256 of every file's name, size and modification time, and of the labels."""
        stats = [(self.root / f"{name}.npy").stat() for name in self._classes]
        facts = [self._classes, [(stat.st_size, stat.st_mtime_ns) for stat in stats], self._labels.tolist()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Iterate over drawings as (1, 28, 28) uint8: 0 is paper, 255 is ink."""
        if size != SIDE:
            says = f"{size} is out of range: drawings are not resized. Set `image_size: {SIDE}`."
            raise InputError.one("the protocol", "image-size", says, where="recipe.image_size")
        for drawing in self._read(indices):
            yield drawing.reshape(1, SIDE, SIDE)

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return the SHA-256 of each drawing's 784 bytes."""
        return [hashlib.sha256(drawing.tobytes()).hexdigest() for drawing in self._read(indices)]

    def _read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        opened: dict[int, NDArray[np.uint8]] = {}
        for index in indices:
            label = int(self._labels[index])
            if label not in opened:
                opened = {label: _drawings(self.root, self._classes[label])}
            yield np.array(opened[label][index - self._starts[label]])


def _drawings(root: Path, name: str) -> NDArray[np.uint8]:
    """Open the drawings of a class as a memory-mapped (n, 784) array."""
    array: NDArray[np.uint8] = np.load(root / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return array


def _outside(root: Path, names: Sequence[str]) -> Iterator[Problem]:
    paths = [root / f"{name}.npy" for name in names]
    inside = Path(os.path.realpath(root))
    if bad := [path.name for path in paths if not Path(os.path.realpath(path)).is_relative_to(inside)]:
        code, says = KIND_PROBLEMS["outside"]
        yield Problem(0, first_few(bad), says, code)
    if bad := [path.name for path in paths if not path.is_file()]:
        code, says = KIND_PROBLEMS["irregular"]
        yield Problem(0, first_few(bad), says, code)


def _problems(root: Path, names: Sequence[str]) -> Iterator[Problem]:
    if not names:
        yield Problem(0, "root", "missing <class>.npy files; download one per class.", "root-layout")
    for name in names:
        try:
            drawings = _drawings(root, name)
        except (OSError, ValueError, EOFError) as error:
            says = f"not a numpy array: {error}. Download it again."
            yield Problem(0, f"{name}.npy", says, "array-unreadable")
            continue
        if drawings.dtype != np.uint8 or drawings.ndim != 2 or drawings.shape[1] != SIDE * SIDE or not len(drawings):
            says = f"expected (n, 784) uint8 with n ≥ 1, got {drawings.shape} {drawings.dtype}. Download it again."
            yield Problem(0, f"{name}.npy", says, "array-shape")
