"""Crops of pictures: the middle square, and random ones of random shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.protocol.recipe import Crop

ATTEMPTS = 10
"""Shapes drawn for a crop before the largest middle one is taken, as in torchvision."""


def boxes(sizes: Tensor, *, rule: Crop, generator: torch.Generator) -> Tensor:
    """Where to crop: torchvision's `RandomResizedCrop`, for a whole batch at once.

    A crop's area is a uniform share of the image's, the logarithm of its width by height uniform, its place uniform.
    The first of ten draws that fits is taken; where none does, the largest middle part of a shape within the bounds.

    Args:
        sizes: (B, 2) height and width of each image.
        rule: bounds of area and shape.
        generator: on the CPU.

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
    found = torch.cat([each.gather(1, first) for each in (top, left, high, wide)], dim=1).long()
    return torch.where(fits.any(dim=1, keepdim=True), found, _largest(sizes, rule))


def places(sizes: Tensor, *, size: int, generator: torch.Generator) -> Tensor:
    """As `boxes`, for squares of one size that are not resized: torchvision's `RandomCrop`, for a whole batch."""
    draws = torch.rand((len(sizes), 2), dtype=torch.float64, generator=generator)
    corners = (draws * (sizes - size + 1)).floor().long()
    return torch.cat([corners, torch.full_like(corners, size)], dim=1)


def cut(picture: Tensor, box: Sequence[int], size: int) -> Tensor:
    """(C, size, size) uint8: the box (top, left, height, width) of a (C, H, W) picture, resized with antialiasing."""
    top, left, height, width = box
    part = picture[None, :, top : top + height, left : left + width]
    if (height, width) == (size, size):
        return part[0]
    return functional.interpolate(part, (size, size), mode="bilinear", antialias=True)[0]


def center(picture: Tensor, size: int) -> Tensor:
    """(C, size, size): the middle of a (C, H, W) picture of at least that size; torchvision's `CenterCrop`."""
    top, left = (round((side - size) / 2) for side in picture.shape[1:])
    return picture[:, top : top + size, left : left + size]


def mirror(images: Tensor, *, share: float, generator: torch.Generator) -> Tensor:
    """(B, C, H, W) images, each turned left to right with this probability."""
    turned = torch.rand((len(images), 1, 1, 1), generator=generator) < share
    return torch.where(turned, images.flip(3), images)


def _between(draws: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * draws


def _largest(sizes: Tensor, rule: Crop) -> Tensor:
    """(B, 4): the whole image, or its middle where it is too wide or too high."""
    height, width = sizes.double().unbind(dim=1)
    shape = (width / height).clamp(*rule.ratio)
    wide = torch.minimum(width, (height * shape).round())
    high = torch.minimum(height, (width / shape).round())
    top, left = ((height - high) / 2).floor(), ((width - wide) / 2).floor()
    return torch.stack([top, left, high, wide], dim=1).long()
