"""What every dataset is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Official = tuple[tuple[int, ...], tuple[int, ...]]
"""Class indices of a predefined split: trainval and test, disjoint, together all classes."""


class Dataset(ABC):
    """Images with one class each. Datasets are pickled: several processes decode one dataset's images.

    Attributes:
        credit: one line of attribution for reports; empty where none is due.
        channels: of an image: 1 for grey, 3 for RGB.
        official: the split by class that its authors published or its owner wrote down; None where there is none.
    """

    credit: str
    channels: int
    official: Official | None = None

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Class names, all different, in label order: a class's index is its place here."""

    @property
    @abstractmethod
    def labels(self) -> NDArray[np.int64]:
        """(N,) class index of every image, in a fixed order."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A text that changes when the images change, found without decoding them."""

    @abstractmethod
    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode some images, in the order asked, whole and with their aspect ratio.

        Args:
            indices: into `labels`.
            size: pixels of the shorter side; every image comes as (channels, height, width) uint8.

        Raises:
            InputError: some images cannot be read; it names all of them, when the last one has been tried.
            IndexError: an index is not below the number of images.
        """

    def digests(self, indices: Sequence[int]) -> list[str]:
        """SHA-256, in hex, of the bytes that each image was read from, in the order asked.

        Those are the bytes of its file, or its own bytes where one file holds many images. The list is empty for
        images that come with the package: their fingerprint is a digest.

        Args:
            indices: into `labels`.
        """
        return []

    def names_of(self, indices: Sequence[int]) -> list[str]:
        """What a person calls each image: the path of its file below the root, or its number.

        Args:
            indices: into `labels`.
        """
        return [f"image {index}" for index in indices]
