"""What every store of a half's images is, and how one is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.protocol.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Facts:
    """What the images of a half are.

    Args:
        labels: (N,) int64, classes numbered from 0 within this half.
        classes: the class names by label.
        digest: SHA-256 of sizes, labels, pixels and, where the images are files, the digests of these.
    """

    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Store(ABC):
    """Images of one half, memory-mapped, ready to be cut into batches."""

    facts: Facts

    @property
    @abstractmethod
    def channels(self) -> int:
        """C of an image, or F where the store holds a frozen trunk's features."""

    @abstractmethod
    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """(B, C, H, W) uint8 images as evaluation sees them, or (B, F) features."""

    @abstractmethod
    def drawn(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """The same images as training sees them; the draws come from a generator on the CPU, equal on every device."""

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
        """What identifies the half."""
        return self.facts.digest

    def counts(self) -> list[int]:
        """Images per class."""
        return [int(each) for each in np.bincount(self.labels, minlength=len(self.classes))]

    def of_classes(self, classes: Sequence[int]) -> NDArray[np.int64]:
        """Indices of the images of some classes, ascending."""
        return np.flatnonzero(np.isin(self.labels, np.asarray(classes, dtype=np.int64)))


def facts_of(meta: dict[str, Any]) -> Facts:
    """The facts as they were written."""
    labels = np.asarray(meta["labels"], dtype=np.int64)
    return Facts(labels=labels, classes=tuple(meta["classes"]), digest=meta["digest"])
