"""Stores of a frozen trunk's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.atomic import storage_errors
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store, facts_of
from realitycheck.stores.cache import read_meta


@dataclass(frozen=True, slots=True)
class FeatureStore(Store):
    """Pooled features of a frozen trunk.

    Args:
        features: (N, V, F) float32 of each image and, where the recipe flips, of its mirror image.
        corruption: kind and severity of the corruption of the images; empty for images as they are.
    """

    features: NDArray[np.float32]
    corruption: str = ""

    @property
    def channels(self) -> int:
        """F, the number of features."""
        return int(self.features.shape[2])

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, F) features of the images."""
        return torch.from_numpy(self.features[indices, 0]).to(device)

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, F) features, of the mirror image with the recipe's probability of a flip."""
        draws = torch.stack([torch.rand(indices.shape[1], generator=generator) for generator in generators])
        mirrored = (draws < recipe.augment.flip).long().numpy()
        return torch.from_numpy(self.features[indices, mirrored]).to(device)


def open_features(path: Path) -> FeatureStore:
    """Open a finished store of features.

    Raises:
        RunError: if it is missing or unfinished.
        StorageError: it cannot be read.
    """
    meta = read_meta(path)
    with storage_errors(path.with_suffix(".npy")):
        features = np.load(path.with_suffix(".npy"), mmap_mode="r")
    return FeatureStore(facts_of(meta), features, meta.get("corruption", ""))
