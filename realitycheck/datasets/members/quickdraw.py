"""Google's Quick, Draw! bitmaps: one file of drawings per class."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.disk import SAYS, needed_folder
from realitycheck.datasets.reading.listing import repeated
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem

SIDE = 28

FIRST = 100
"""Drawings that are read of a class: as many as the embedded sketches have. A file holds about 145,000, too many
for one class of a retrieval benchmark: every query would have as many right answers."""


class QuickDraw(Dataset):
    """Any classes of the Quick, Draw! bitmaps, the first 100 drawings of each; classes are file names, sorted.

    Args:
        root: a folder with `<class>.npy` files, (n, 784) uint8 each, as Google's `numpy_bitmap` folder holds them.

    Raises:
        InputError: there is no such file, some hold other arrays, or links lead out.
    """

    credit = (
        "Quick, Draw! data made available by Google, Inc. under the Creative Commons Attribution 4.0 International "
        "licence (CC BY 4.0); the first 100 drawings of each class."
    )
    channels = 1

    def __init__(self, *, root: str) -> None:
        self.root = needed_folder(root, layout="one <class>.npy file per class")
        self._classes = tuple(sorted(each.name.removesuffix(".npy") for each in self.root.glob("[!.]*.npy")))
        problems = list(_outside(self.root, self._classes)) or list(_problems(self.root, self._classes))
        if problems:
            raise InputError(root, problems)
        counts = [min(len(_drawings(self.root, name)), FIRST) for name in self._classes]
        self._labels = np.array(repeated(counts), dtype=np.int64)
        self._starts = np.cumsum([0, *counts])

    @property
    def classes(self) -> tuple[str, ...]:
        """The files' names without `.npy`, sorted."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) class by class, drawings as the file orders them."""
        return self._labels

    @property
    def fingerprint(self) -> str:
        """A digest of every file's name, size and time of change, and of how many drawings are read."""
        stats = [(self.root / f"{name}.npy").stat() for name in self._classes]
        facts = [self._classes, [(each.st_size, each.st_mtime_ns) for each in stats], self._labels.tolist()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Drawings as (1, 28, 28) uint8: 0 paper, 255 ink."""
        if size != SIDE:
            says = f"must be {SIDE} for drawings of Quick, Draw!, which are not resized; got {size}."
            raise InputError("the protocol", [Problem(0, "recipe.image_size", says)])
        for drawing in self._each(indices):
            yield drawing.reshape(1, SIDE, SIDE)

    def digests(self, indices: Sequence[int]) -> list[str]:
        """SHA-256 of each drawing's 784 bytes."""
        return [hashlib.sha256(drawing.tobytes()).hexdigest() for drawing in self._each(indices)]

    def _each(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        opened: dict[int, NDArray[np.uint8]] = {}
        for index in indices:
            label = int(self._labels[index])
            if label not in opened:
                opened = {label: _drawings(self.root, self._classes[label])}
            yield np.array(opened[label][index - self._starts[label]])


def _drawings(root: Path, name: str) -> NDArray[np.uint8]:
    """(n, 784), mapped from the file: only what is looked at is read."""
    array: NDArray[np.uint8] = np.load(root / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return array


def _outside(root: Path, names: Sequence[str]) -> Iterator[Problem]:
    paths = [root / f"{name}.npy" for name in names]
    inside = Path(os.path.realpath(root))
    if bad := [path.name for path in paths if not Path(os.path.realpath(path)).is_relative_to(inside)]:
        yield Problem(0, some(bad), SAYS["outside"])
    if bad := [path.name for path in paths if not path.is_file()]:
        yield Problem(0, some(bad), SAYS["no file"])


def _problems(root: Path, names: Sequence[str]) -> Iterator[Problem]:
    if not names:
        yield Problem(0, "root", "must hold one <class>.npy file per class; it holds none. Download some.")
    for name in names:
        try:
            found = _drawings(root, name)
        except (OSError, ValueError, EOFError) as error:
            yield Problem(0, f"{name}.npy", f"must be an array of numpy; got {error}. Download it again.")
            continue
        if found.dtype != np.uint8 or found.ndim != 2 or found.shape[1] != SIDE * SIDE or not len(found):
            says = f"must be (n, 784) uint8, n at least 1; got {found.shape} {found.dtype}. Download it again."
            yield Problem(0, f"{name}.npy", says)
