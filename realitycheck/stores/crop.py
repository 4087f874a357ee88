"""Random crops, shifts and flips of images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.protocol.recipe import Augment, Crop
from realitycheck.stores.transfer import on

ATTEMPTS = 10
"""Boxes drawn for a crop before falling back to the largest central one, as in torchvision."""


def boxes(sizes: Tensor, *, rule: Crop, generator: torch.Generator) -> Tensor:
    """Draw crop boxes for a whole batch, with the distribution of torchvision's `RandomResizedCrop`.

    The area is a uniform fraction of the image's, the logarithm of the aspect ratio is uniform, and so is the
    position. The first of ten draws that fits is used; if none fits, the largest central box within the bounds.

    Args:
        sizes: (B, 2) height and width of each image.
        rule: bounds of the area and of the aspect ratio.
        generator: random generator on the CPU.

    Returns:
        (B, 4) int64: top, left, height, width.
    """
    count = len(sizes)
    height, width = sizes[:, :1].double(), sizes[:, 1:].double()  # (B, 1)
    draws = torch.rand((4, count, ATTEMPTS), dtype=torch.float64, generator=generator)
    area = height * width * _between(draws[0], *rule.scale)
    shape = _between(draws[1], *map(math.log, rule.ratio)).exp()
    wide, high = (area * shape).sqrt().round(), (area / shape).sqrt().round()  # (B, ATTEMPTS)
    fits = (wide > 0) & (high > 0) & (wide <= width) & (high <= height)
    top, left = (draws[2] * (height - high + 1)).floor(), (draws[3] * (width - wide + 1)).floor()
    first = fits.double().argmax(dim=1, keepdim=True)
    drawn = torch.cat([side.gather(1, first) for side in (top, left, high, wide)], dim=1).long()
    return torch.where(fits.any(dim=1, keepdim=True), drawn, _largest(sizes, rule))


def squares(sizes: Tensor, *, size: int, generator: torch.Generator) -> Tensor:
    """Draw boxes of one size with a uniform position: torchvision's `RandomCrop` for a whole batch. See `boxes`."""
    draws = torch.rand((len(sizes), 2), dtype=torch.float64, generator=generator)
    corners = (draws * (sizes - size + 1)).floor().long()
    return torch.cat([corners, torch.full_like(corners, size)], dim=1)


def cut(picture: Tensor, box: Sequence[int], size: int) -> Tensor:
    """Crop the box (top, left, height, width) of a (C, H, W) picture, resized to (C, size, size) with antialiasing."""
    top, left, height, width = box
    part = picture[None, :, top : top + height, left : left + width]
    if (height, width) == (size, size):
        return part[0]
    return functional.interpolate(part, (size, size), mode="bilinear", antialias=True)[0]


def mirror(images: Tensor, *, probability: float, generator: torch.Generator) -> Tensor:
    """Flip each of (B, C, H, W) images horizontally with this probability."""
    flipped = torch.rand((len(images), 1, 1, 1), generator=generator) < probability
    return torch.where(on(flipped, images.device), images.flip(3), images)


def shift_and_mirror(images: Tensor, *, rule: Augment, generators: Sequence[torch.Generator]) -> Tensor:
    """Shift each image by up to `rule.shift` pixels in both axes, and flip it with probability `rule.flip`.

    Uncovered pixels are zero.

    Args:
        images: (I·B, C, H, W) uint8, on any device: I batches of equal size.
        rule: maximum shift and probability of a flip.
        generators: one for each batch, on the CPU, so that the draws are the same on every device.

    Returns:
        (I·B, C, H, W) uint8.
    """
    count, channels, height, width = images.shape
    draws = [_shifts(count // len(generators), rule, generator) for generator in generators]
    top, left, flipped = (torch.cat(parts) for parts in zip(*draws, strict=True))  # (I·B, 1)
    across = torch.arange(width)
    rows = top + torch.arange(height)  # (I·B, H)
    columns = left + torch.where(flipped, across.flip(0), across)  # (I·B, W)
    padded = functional.pad(images, (rule.shift,) * 4)
    # One flat gather takes half the time of indexing by image, row and column (145 against 287 µs for 32 sketches).
    positions = rows[:, :, None] * padded.shape[3] + columns[:, None, :]  # (I·B, H, W)
    flat = on(positions.view(count, 1, height * width), images.device).expand(count, channels, -1)
    return padded.flatten(2).gather(2, flat).view(images.shape)


def _shifts(count: int, rule: Augment, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (count, 1) rows and columns to shift by, and whether to flip."""
    top = torch.randint(2 * rule.shift + 1, (count, 1), generator=generator)
    left = torch.randint(2 * rule.shift + 1, (count, 1), generator=generator)
    return top, left, torch.rand((count, 1), generator=generator) < rule.flip


def _between(draws: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * draws


def _largest(sizes: Tensor, rule: Crop) -> Tensor:
    """Return (B, 4): the whole image, or its central part if its aspect ratio is out of bounds."""
    height, width = sizes.double().unbind(dim=1)
    shape = (width / height).clamp(*rule.ratio)
    wide = torch.minimum(width, (height * shape).round())
    high = torch.minimum(height, (width / shape).round())
    top, left = ((height - high) / 2).floor(), ((width - wide) / 2).floor()
    return torch.stack([top, left, high, wide], dim=1).long()
