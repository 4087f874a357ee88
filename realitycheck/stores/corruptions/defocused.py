"""Blur by a lens out of focus."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from realitycheck.stores.corruptions.base import Image

RADII = (3.0, 4.0, 6.0, 8.0, 10.0)
"""Radius of the disk in pixels of an image of `SIDE`, by severity: ImageNet-C, whose five severities imgaug draws from.

Hendrycks and Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions and Perturbations.
"""

SIDE = 224
"""Side of the images of ImageNet-C, and of the paper; radii are relative to it."""

WHOLE = 1 << 16
"""What the weights of a disk sum to, but for rounding to whole numbers, so that sums are exact in whatever order."""


def defocus_blur(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Convolve with a disk; nothing is drawn. Beyond its border the image is mirrored.

    The blur of ImageNet-C's disk by a Gaussian of at most half a pixel is left out; instead the disk covers pixels
    partly, as the bilinear interpolation of the image has it.
    """
    weights = disk(RADII[severity - 1] * min(image.shape[:2]) / SIDE)
    margin = len(weights) // 2
    padded = np.pad(image.astype(np.float64), ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(padded, 2, 0)))[:, None]
    sums = torch.nn.functional.conv2d(planes, torch.from_numpy(weights)[None, None])[:, 0].numpy()
    rounded: NDArray[np.float64] = np.floor(sums / weights.sum() + 0.5)
    return np.moveaxis(rounded, 0, 2).astype(np.uint8)


@cache
def disk(radius: float) -> NDArray[np.float64]:
    """The (2m + 1, 2m + 1) weights of a disk, whole numbers with a sum of about `WHOLE`.

    Its points are spread over the four pixels around each, as bilinear interpolation does.
    """
    margin = int(np.ceil(radius))
    grid = (np.arange(-64, 65) / 64) * radius
    down, across = np.meshgrid(grid, grid, indexing="ij")
    inside = down**2 + across**2 <= radius**2
    pixels = np.arange(-margin, margin + 1)
    near = [np.clip(1 - np.abs(points[inside][:, None] - pixels), 0, None) for points in (down, across)]
    weights = near[0].T @ near[1]
    whole: NDArray[np.float64] = np.rint(weights / weights.sum() * WHOLE)
    return whole
