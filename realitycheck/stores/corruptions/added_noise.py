"""Additive noise: Gaussian, uniform, and salt and pepper. One draw for all channels of a pixel, as in imgaug."""

from __future__ import annotations

import numpy as np

from realitycheck.stores.corruptions.base import Image, to_bytes

DEVIATIONS = (5.0, 10.0, 15.0, 30.0, 60.0)
"""Largest standard deviation in grey levels by severity; imgaug's `AdditiveGaussianNoise` has 15."""

SHIFTS = (7, 13, 20, 40, 80)
"""Largest shift in grey levels by severity; imgaug's `AddElementwise` has 20."""

SHARES = (0.01, 0.02, 0.03, 0.10, 0.30)
"""Largest share of replaced pixels by severity; imgaug's `SaltAndPepper` has 0.03."""


def gaussian(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Add normal noise; its deviation is drawn once for the image, between 0 and the largest of the severity."""
    deviation = draw.random() * DEVIATIONS[severity - 1]
    return to_bytes(image + deviation * draw.standard_normal(image.shape[:2])[..., None])


def uniform(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Add a whole number to every pixel, between minus and plus the largest shift of the severity."""
    most = SHIFTS[severity - 1]
    shift = np.floor(draw.random(image.shape[:2]) * (2 * most + 1)) - most
    return to_bytes(image + shift[..., None])


def salt_pepper(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Replace a share of the pixels, drawn for the image, by grey levels of the arcsine law: mostly black or white."""
    share = draw.random() * SHARES[severity - 1]
    replaced = draw.random(image.shape[:2]) < share
    levels = 255 * np.sin(np.pi / 2 * draw.random(image.shape[:2])) ** 2  # Beta(1/2, 1/2)
    return np.where(replaced[..., None], to_bytes(levels)[..., None], image)
