"""A dataset of image files: everything but the reading of its lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.decode import UNREADABLE, decode
from realitycheck.datasets.reading.disk import disk_problems
from realitycheck.datasets.reading.listing import Counts, Listing, listing_problems, official_split
from realitycheck.errors import InputError, Problem


class FileDataset(Dataset):
    """RGB images, one file each, below one root. A sub-class reads its lists and hands over a listing.

    Attributes:
        counts: what must be there, as published; None where anything may.
        root: the folder that the paths begin at.

    Args:
        root: that folder.
        listing: the images.

    Raises:
        InputError: the listing is wrong by itself, or not what lies on the disk; it names every fault.
    """

    credit = ""
    channels = 3
    counts: ClassVar[Counts | None] = None

    def __init__(self, root: Path, listing: Listing) -> None:
        problems = [*listing_problems(listing, self.counts), *disk_problems(root, listing)]
        if problems:
            raise InputError(str(root), problems)
        self.root = root
        self.official = official_split(listing)
        self._classes = listing.classes
        self._paths = listing.paths
        self._labels = np.array(listing.labels, dtype=np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in label order."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) in the order of the listing."""
        return self._labels

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the images, below the root, with forward slashes."""
        return self._paths

    @property
    def fingerprint(self) -> str:
        """A digest of classes, labels and split, and of every file's name, size and time of change."""
        stats = [_stat(self.root, path) for path in self._paths]
        facts = [self._classes, self._labels.tolist(), self.official, self._paths, stats]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """(3, height, width) RGB images; bad files are named all at once, when the last one has been tried."""
        problems = []
        for index in indices:
            path = self._paths[index]
            try:
                yield decode(self.root / path, size=size)
            except UNREADABLE as error:
                problems.append(Problem(0, path, f"cannot be decoded: {error}. Replace it."))
        if problems:
            raise InputError(str(self.root), problems)

    def names_of(self, indices: Sequence[int]) -> list[str]:
        """Paths below the root."""
        return [self.paths[index] for index in indices]

    def digests(self, indices: Sequence[int]) -> list[str]:
        """SHA-256 of each image's file."""
        return [_digest(self.root / self._paths[index]) for index in indices]


def _stat(root: Path, path: str) -> tuple[int, int]:
    try:
        found = (root / path).stat()
    except OSError as error:
        says = f"must be there as long as the dataset is used; got {error.strerror}. Put it back."
        raise InputError(str(root), [Problem(0, path, says)]) from error
    return found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
