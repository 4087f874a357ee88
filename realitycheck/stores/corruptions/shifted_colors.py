"""Colour distortions: hue and saturation."""

from __future__ import annotations

import numpy as np
from PIL import Image as Pictures

from realitycheck.stores.corruptions.base import Image

SHIFTS = (13.0, 27.0, 40.0, 80.0, 120.0)
"""Largest shift by severity, where 255 is a whole turn of the hue; imgaug's `AddToHueAndSaturation` has 40."""


def hue_saturation(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Turn the hue and shift the saturation of an RGB image, each by an amount drawn for the image.

    An image with another number of channels has no hue, and stays as it is.
    """
    if image.shape[2] != 3:
        return image
    hue, saturation = ((2 * draw.random(2) - 1) * SHIFTS[severity - 1]).round().astype(int)
    hsv = np.asarray(Pictures.fromarray(image).convert("HSV")).astype(np.int64)
    hsv[..., 0] = (hsv[..., 0] + hue) % 256
    hsv[..., 1] = np.clip(hsv[..., 1] + saturation, 0, 255)
    return np.asarray(Pictures.fromarray(hsv.astype(np.uint8), mode="HSV").convert("RGB"))
