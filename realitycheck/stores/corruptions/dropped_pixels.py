"""Dropped pixels: single ones, and one square."""

from __future__ import annotations

import numpy as np

from realitycheck.stores.corruptions.base import Image

SHARES = (0.0125, 0.025, 0.05, 0.15, 0.45)
"""Largest share of black pixels by severity; imgaug's `Dropout` has 0.05."""

SIDES = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Side of the square by severity, as a share of the shorter side of the image; imgaug's `Cutout` has 0.2."""

GREY = 128
"""The fill of imgaug's `Cutout`."""


def dropout(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Set pixels to 0; their share is drawn once for the image, between 0 and the largest of the severity."""
    share = draw.random() * SHARES[severity - 1]
    return np.where((draw.random(image.shape[:2]) < share)[..., None], np.uint8(0), image)


def cutout(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Fill one square with grey; its centre is anywhere in the image, so that a part of it may be outside."""
    height, width = image.shape[:2]
    half = SIDES[severity - 1] * min(height, width) / 2
    center = draw.random(2) * (height, width)
    top, left = (max(0, round(value - half)) for value in center)
    bottom, right = (round(value + half) for value in center)
    changed = image.copy()
    changed[top:bottom, left:right] = GREY
    return changed
