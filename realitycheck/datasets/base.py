"""The interface of a dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from realitycheck.errors import Problem

Official = tuple[tuple[int, ...], tuple[int, ...]]
"""Class indices of a predefined split: trainval and test. They are disjoint and cover all classes."""


class Dataset(ABC):
    """Base class of a dataset of images with one class each.

    A dataset must be picklable, because several processes decode its images.

    Attributes:
        credit: one line of attribution for reports; empty if none is required.
        channels: channels of an image: 1 for grey, 3 for RGB.
        official: the split by class that its authors or its owner published; None if there is none.
        warnings: what was found on opening that is allowed but probably not meant, such as files that are not read.
    """

    credit: str
    channels: int
    official: Official | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Distinct class names in label order."""

    @property
    @abstractmethod
    def labels(self) -> NDArray[np.int64]:
        """(N,) class index of every image, in a fixed order."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A text that changes when the images change, computed without decoding them."""

    @abstractmethod
    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode images in the order of `indices`, uncropped and with their aspect ratio.

        Args:
            indices: indices into `labels`.
            size: pixels of the shorter side.

        Yields:
            (channels, height, width) uint8 for each index.

        Raises:
            InputError: if images cannot be read; it lists all of them, after the last one has been tried.
            IndexError: if an index is not below the number of images.
        """

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return the SHA-256, in hex, of the bytes of each image, in the order of `indices`.

        These are the bytes of its file, or the image's own bytes if one file holds many images. The list is empty for
        datasets that ship with the package, because their fingerprint is a digest.

        Args:
            indices: indices into `labels`.
        """
        return []

    def names_of(self, indices: Sequence[int]) -> list[str]:
        """Return a readable name of each image: the path of its file below the root, or its number.

        Args:
            indices: indices into `labels`.
        """
        return [f"image {index}" for index in indices]
