"""Stores whose pixels or features are on a GPU; draws stay on the CPU, and every batch has the bytes of the CPU's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.crop import boxes, mirror, shift_and_mirror, squares
from realitycheck.stores.features import FeatureStore
from realitycheck.stores.pixels import SquareStore, WholeStore
from realitycheck.stores.resample import crops
from realitycheck.stores.transfer import on

LARGEST_SHARE = 0.25
"""Of a GPU's free memory. CUB at 256 pixels takes 2.3 GB, and SOP 23.6 GB; activations need the rest."""


@dataclass(frozen=True, slots=True)
class ResidentPixels(Store):
    """Pixels of a store of squares or of whole images on a device.

    Args:
        pixels: all bytes, flat.
        starts: (N,) int64 on the CPU: where each image begins.
        sizes: (N, 2) int64 on the CPU: height and width.
        steps: (N, 3) int64 on the CPU: from a row, a column and a channel of an image to the next, in bytes.
        depth: C.
        whole: whether evaluation cuts the middle square of the recipe's size out of an image.
    """

    resident: ClassVar[bool] = True
    pixels: Tensor
    starts: Tensor
    sizes: Tensor
    steps: Tensor
    depth: int
    whole: bool

    @property
    def channels(self) -> int:
        """C, the channels of an image."""
        return self.depth

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, C, H, W) uint8 images for evaluation."""
        chosen = torch.from_numpy(indices)
        if not self.whole:
            return self._squares(chosen)
        size = recipe.image_size
        # `round` of Python takes a half to the even number, as `decode_parts.center` does.
        corners = ((self.sizes[chosen] - size).double() / 2).round().long()
        return self._cut(chosen, torch.cat([corners, torch.full_like(corners, size)], dim=1), size)

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, C, H, W) uint8 images, cropped and flipped, or shifted and flipped."""
        rule = recipe.augment
        if self.whole or rule.crop is not None:
            batches = zip(torch.from_numpy(indices), generators, strict=True)
            return torch.stack([self._cropped(batch, recipe, generator) for batch, generator in batches])
        images = self._squares(torch.from_numpy(indices.ravel()))
        moved = shift_and_mirror(images, rule=rule, generators=generators)
        return moved.view(*indices.shape, *moved.shape[1:])

    def _cropped(self, chosen: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
        rule, sizes, size = recipe.augment.crop, self.sizes[chosen], recipe.image_size
        drawn = boxes(sizes, rule=rule, generator=generator) if rule else squares(sizes, size=size, generator=generator)
        return mirror(self._cut(chosen, drawn, size), probability=recipe.augment.flip, generator=generator)

    def _cut(self, chosen: Tensor, drawn: Tensor, size: int) -> Tensor:
        starts, steps = self.starts[chosen], self.steps[chosen]
        return crops(self.pixels, starts=starts, steps=steps, boxes=drawn, size=size, channels=self.depth)

    def _squares(self, chosen: Tensor) -> Tensor:
        """Return (B, C, H, W): images of a store whose images have one shape."""
        height, width = self.sizes[0].tolist()
        return self.pixels.view(-1, self.depth, height, width)[on(chosen, self.pixels.device)]


@dataclass(frozen=True, slots=True)
class ResidentFeatures(Store):
    """Features of a frozen trunk on a device.

    Args:
        features: (N, V, F) float32 of each image and, where the recipe flips, of its mirror image.
    """

    resident: ClassVar[bool] = True
    features: Tensor

    @property
    def channels(self) -> int:
        """F, the number of features."""
        return int(self.features.shape[2])

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, F) features of the images."""
        return self.features[on(torch.from_numpy(indices), self.features.device), 0]

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, F) features, of the mirror image with the recipe's probability of a flip."""
        draws = torch.stack([torch.rand(indices.shape[1], generator=generator) for generator in generators])
        mirrored = (draws < recipe.augment.flip).long()
        place = self.features.device
        return self.features[on(torch.from_numpy(indices), place), on(mirrored, place)]


def resident_where_it_fits(store: Store, device: torch.device) -> Store:
    """Return a store on a GPU where it takes at most `LARGEST_SHARE` of its free memory, or else the store itself.

    It is not for batches with RandAugment, which works on the CPU.
    """
    if device.type != "cuda":
        return store
    free, _ = torch.cuda.mem_get_info(device)
    try:
        return resident(store, device, free=free)
    except torch.OutOfMemoryError:  # another process took the memory in between
        return store


def resident(store: Store, device: torch.device, *, free: int) -> Store:
    """Return a store on the device, or the store itself where that is not possible.

    Args:
        store: pixels or features.
        device: where it goes.
        free: bytes that are free there.
    """
    if _bytes_of(store) > LARGEST_SHARE * free:
        return store
    match store:
        case SquareStore():
            return _of_squares(store, device)
        case WholeStore():
            return _of_whole(store, device)
        case FeatureStore():
            return ResidentFeatures(store.facts, torch.from_numpy(np.array(store.features)).to(device))
    return store


def _bytes_of(store: Store) -> int:
    match store:
        case SquareStore():
            return store.images.nbytes
        case WholeStore():
            return store.pixels.nbytes
        case FeatureStore():
            return store.features.nbytes
    return 0


def _of_squares(store: SquareStore, device: torch.device) -> ResidentPixels:
    count, channels, height, width = store.images.shape
    return ResidentPixels(
        store.facts,
        torch.from_numpy(store.images).to(device).flatten(),
        torch.arange(count) * (channels * height * width),
        torch.tensor([[height, width]]).repeat(count, 1),
        torch.tensor([[width, 1, height * width]]).repeat(count, 1),
        channels,
        whole=False,
    )


def _of_whole(store: WholeStore, device: torch.device) -> ResidentPixels:
    sizes = torch.from_numpy(store.sizes)
    row = sizes[:, 1] * store.channels
    steps = torch.stack([row, torch.full_like(row, store.channels), torch.ones_like(row)], dim=1)
    starts = torch.from_numpy(store.starts[:-1])
    pixels = torch.from_numpy(store.pixels).to(device)
    return ResidentPixels(store.facts, pixels, starts, sizes, steps, store.channels, whole=True)
