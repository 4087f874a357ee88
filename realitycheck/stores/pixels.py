"""Stores of pixels: square images of one size, or whole images of many shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.atomic import storage_errors
from realitycheck.protocol.recipe import Augment, Recipe
from realitycheck.stores.base import Store, facts_of
from realitycheck.stores.cache import read_meta
from realitycheck.stores.crop import boxes, cut, mirror, shift_and_mirror, squares
from realitycheck.stores.decode_parts import center


@dataclass(frozen=True, slots=True)
class SquareStore(Store):
    """Images of one size.

    Args:
        images: (N, C, H, W) uint8.
    """

    images: NDArray[np.uint8]

    @property
    def channels(self) -> int:
        """C, the channels of an image."""
        return int(self.images.shape[1])

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, C, H, W) uint8 images."""
        return torch.from_numpy(self.images[indices]).to(device)

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, C, H, W) uint8 images, cropped and flipped, or shifted and flipped."""
        rule = recipe.augment
        if rule.crop is not None:
            return _crops(self._picture, indices, recipe, generators).to(device)
        # RandAugment works on the CPU, where its results are those of one library on every machine.
        place = device if rule.rand_augment is None else torch.device("cpu")
        images = self.plain(indices.ravel(), recipe=recipe, device=place)
        moved = shift_and_mirror(images, rule=rule, generators=generators)
        batches = moved.view(*indices.shape, *moved.shape[1:])
        if rule.rand_augment is None:
            return batches
        drawn = zip(batches, generators, strict=True)
        return torch.stack([_changed(batch, rule=rule, generator=own) for batch, own in drawn]).to(device)

    def _picture(self, index: int) -> Tensor:
        """Return an image as (C, H, W), a view of the stored bytes."""
        return torch.from_numpy(self.images[index])


@dataclass(frozen=True, slots=True)
class WholeStore(Store):
    """Whole images of different shapes.

    Args:
        pixels: the bytes of all images in order. An image is (H, W, C), the layout in which torch resizes bytes
            fastest (97 against 149 µs for a crop of 144 pixels to 112, one core).
        starts: (N + 1,) offset of each image in `pixels`, and the end of the last one.
        sizes: (N, 2) height and width.
    """

    pixels: NDArray[np.uint8]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def channels(self) -> int:
        """C, the channels of an image."""
        height, width = self.sizes[0]
        return int(self.starts[1] // (height * width))

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """Return (B, C, size, size) uint8: the central square of each image."""
        size = recipe.image_size
        return torch.stack([center(self._picture(index), size) for index in indices]).to(device)

    def drawn_block(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generators: Sequence[torch.Generator], device: torch.device
    ) -> Tensor:
        """Return (I, B, C, size, size) uint8: a random crop of each image, randomly flipped."""
        return _crops(self._picture, indices, recipe, generators).to(device)

    def _picture(self, index: int) -> Tensor:
        """Return an image as (C, H, W), a view of the stored bytes."""
        height, width = self.sizes[index]
        flat = self.pixels[self.starts[index] : self.starts[index + 1]]
        return torch.from_numpy(flat.reshape(height, width, -1)).permute(2, 0, 1)


def open_pixels(path: Path) -> SquareStore | WholeStore:
    """Open a finished pixel store.

    Raises:
        RunError: if it is missing or unfinished.
        StorageError: it cannot be read.
    """
    meta = read_meta(path)
    # Copy on write, although nothing is written: torch warns about read-only memory.
    with storage_errors(path.with_suffix(".npy")):
        pixels = np.load(path.with_suffix(".npy"), mmap_mode="c")
    if "sizes" not in meta:
        return SquareStore(facts_of(meta), pixels)
    sizes = np.asarray(meta["sizes"], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes.prod(axis=1) * meta["channels"])])
    return WholeStore(facts_of(meta), pixels, starts, sizes)


def _crops(
    picture: Callable[[int], Tensor],
    indices: NDArray[np.int64],
    recipe: Recipe,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Return (I, B, C, size, size): see `_cropped`, for (I, B) positions and one generator for each batch."""
    parts = zip(indices, generators, strict=True)
    return torch.stack([_cropped([picture(index) for index in batch], recipe, generator) for batch, generator in parts])


def _cropped(pictures: list[Tensor], recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return (B, C, size, size): one random crop of each picture, randomly flipped and changed.

    `cut` is called for each image, because torch's kernel for bytes takes one shape at a time. On one core this is
    20 times as fast as resampling the batch by two matrix products (97 against 2,160 µs an image).
    """
    sizes, size = torch.tensor([picture.shape[1:] for picture in pictures]), recipe.image_size
    rule = recipe.augment.crop
    drawn = boxes(sizes, rule=rule, generator=generator) if rule else squares(sizes, size=size, generator=generator)
    crops = [cut(picture, box, size) for picture, box in zip(pictures, drawn.tolist(), strict=True)]
    images = mirror(torch.stack(crops), probability=recipe.augment.flip, generator=generator)
    return _changed(images, rule=recipe.augment, generator=generator)


def _changed(images: Tensor, *, rule: Augment, generator: torch.Generator) -> Tensor:
    """Return (B, C, H, W): the images changed by RandAugment where the recipe asks for it."""
    if rule.rand_augment is None:
        return images
    from realitycheck.stores.rand_augment import rand_augment  # a second, for torchvision

    return rand_augment(images, rule=rule.rand_augment, generator=generator)
