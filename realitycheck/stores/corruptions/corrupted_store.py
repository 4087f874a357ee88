"""A store whose images are corrupted when they are read for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.evaluations.menu import CORRUPTIONS
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.corruptions.base import Corruption, Image, generator_of


@dataclass(frozen=True, slots=True)
class CorruptedStore(Store):
    """The images of a store of pixels, each corrupted as the model would see it.

    Args:
        pixels: the store.
        name: kind and severity: `gaussian-3`.
    """

    pixels: Store
    name: str

    @property
    def channels(self) -> int:
        """C, the channels of an image."""
        return self.pixels.channels

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, C, H, W) uint8 corrupted images for evaluation."""
        images = self.pixels.plain(indices, recipe=recipe, device=torch.device("cpu")).permute(0, 2, 3, 1).numpy()
        changed = np.stack([corrupted(image, name=self.name) for image in images])
        return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(device)

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Refuse: nothing trains on corrupted images.

        Raises:
            RunError: always.
        """
        raise RunError(f"corrupted images ({self.name}) are for evaluation; training reads clean ones.")


def corrupted(image: Image, *, name: str) -> Image:
    """Corrupt an image (H, W, C) as `kind-severity` says; at severity 0 it is returned as it is."""
    kind, _, severity = name.rpartition("-")
    if severity == "0":
        return image
    return corruption_of(kind)(image, int(severity), generator_of(image, kind=kind))


def corruption_of(kind: str) -> Corruption:
    """The corruption of the menu."""
    module, _, function = CORRUPTIONS[kind].partition(":")
    corruption: Corruption = getattr(import_module(module), function)
    return corruption
