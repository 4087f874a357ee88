"""What every dataset is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


class Dataset(ABC):
    """Images with one class each.

    Attributes:
        credit: one line of attribution for reports; empty where none is due.
        channels: of an image: 1 for grey, 3 for RGB.
    """

    credit: str
    channels: int

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Class names, sorted; a class's index is its place here."""

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
        """Decode some images, in the order asked.

        Args:
            indices: into `labels`.
            size: pixels of a side; every image comes as (channels, size, size) uint8.

        Raises:
            InputError: some images cannot be read; it names all of them.
        """
