"""The interface of a store of images or features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.protocol.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, class names and digest of a half.

    Args:
        labels: (N,) int64, classes numbered from 0 within this half.
        classes: the class names by label.
        digest: SHA-256 of sizes, labels and pixels, and of the digests of the image files if there are any.
        pairs: of the images of a list of pairs, its name and digest as an evaluation has them; else empty.
    """

    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    digest: str
    pairs: str = ""


@dataclass(frozen=True, slots=True)
class Store(ABC):
    """Base class of the memory-mapped images or features of one half."""

    facts: Facts
    resident: ClassVar[bool] = False
    """Whether pixels or features are on a device, and batches are made there."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """C, the channels of an image, or F where the store holds a frozen trunk's features."""

    @abstractmethod
    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, C, H, W) uint8 images for evaluation, or (B, F) features."""

    def drawn(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """Return the images of a batch augmented for training; see `drawn_block`."""
        return self.drawn_block(indices[None], recipe=recipe, generators=[generator], device=device)[0]

    @abstractmethod
    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, …): the images of I batches augmented for training.

        Args:
            indices: (I, B) positions in this store.
            recipe: its image size and augmentation.
            generators: one for each batch, on the CPU, so that the random draws are the same on every device.
            device: where the images go.
        """

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) class of every image."""
        return self.facts.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names by label."""
        return self.facts.classes

    @property
    def digest(self) -> str:
        """SHA-256 that identifies the half."""
        return self.facts.digest

    def counts(self) -> list[int]:
        """Return the number of images of each class."""
        return [int(count) for count in np.bincount(self.labels, minlength=len(self.classes))]

    def of_classes(self, classes: Sequence[int]) -> NDArray[np.int64]:
        """Return the indices of all images of these classes, ascending."""
        return np.flatnonzero(np.isin(self.labels, np.asarray(classes, dtype=np.int64)))


def facts_of(meta: dict[str, Any]) -> Facts:
    """Build the facts from a store's JSON file."""
    labels = np.asarray(meta["labels"], dtype=np.int64)
    classes, pairs = tuple(meta["classes"]), meta.get("pairs", "")
    return Facts(labels=labels, classes=classes, digest=meta["digest"], pairs=pairs)
