"""Base class of datasets of image files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from realitycheck.atomic import sha256_of
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.decode import cause_of, decode
from realitycheck.datasets.reading.disk import disk_problems
from realitycheck.datasets.reading.listing import Counts, ImageList, listing_problems, official_split
from realitycheck.errors import InputError, Problem


class FileDataset(Dataset):
    """RGB images, one file each, below one root. A subclass reads the dataset's lists and passes an `ImageList`.

    Attributes:
        counts: published numbers of classes and images; None if they are not fixed.
        root: folder that paths are relative to.

    Args:
        root: folder that paths are relative to.
        listing: the images.
        earlier: problems that the subclass found on the way to the list; they are reported with the others.

    Raises:
        InputError: if the list is invalid or differs from the files on disk; it lists every problem.
    """

    credit = ""
    channels = 3
    counts: ClassVar[Counts | None] = None

    def __init__(self, root: Path, listing: ImageList, *, earlier: Sequence[Problem] = ()) -> None:
        problems = [*earlier, *listing_problems(listing, self.counts), *disk_problems(root, listing)]
        if problems:
            raise InputError(str(root), problems)
        self.root = root
        self.official = official_split(listing)
        self._classes = listing.classes
        self._paths = listing.paths
        self._labels = np.array(listing.labels, dtype=np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) class index of every image, in the order of the list."""
        return self._labels

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the images below the root, with forward slashes."""
        return self._paths

    @property
    def fingerprint(self) -> str:
        """SHA-256 of classes, labels and split, and of every file's name, size and modification time."""
        stats = [_stat(self.root, path) for path in self._paths]
        facts = [self._classes, self._labels.tolist(), self.official, self._paths, stats]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode images as (3, height, width) RGB; see `Dataset.images`."""
        problems = []
        for index in indices:
            path = self._paths[index]
            try:
                image = decode(self.root / path, size=size)
            except Exception as error:  # on damaged files Pillow raises whatever its parsers run into
                says = f"cannot be decoded: {cause_of(error)}. Replace it, or make it readable."
                problems.append(Problem(0, path, says, "image-unreadable"))
            else:
                yield image
        if problems:
            raise InputError(str(self.root), problems)

    def names_of(self, indices: Sequence[int]) -> list[str]:
        """Return the paths below the root."""
        return [self.paths[index] for index in indices]

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return the SHA-256 of each image's file."""
        return [sha256_of(self.root / self._paths[index]) for index in indices]


def _stat(root: Path, path: str) -> tuple[int, int]:
    try:
        stat = (root / path).stat()
    except OSError as error:
        says = f"missing since the dataset was opened ({error.strerror}); restore it."
        raise InputError.one(str(root), "file-missing", says, where=path) from error
    return stat.st_size, stat.st_mtime_ns
