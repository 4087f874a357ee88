"""From a file to pixels: what is decoded, how it is scaled, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Pillow's modes of at most 8 bits a channel. It would make RGB of others by cutting off: 16-bit greys at 255, and
floats in [0, 1] down to 0."""

MAX_PIXELS = 50_000_000
"""A PNG of 20 kB can hold 13,000² pixels, 483 MiB as RGB, and Pillow would only warn (measured)."""

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises on damaged or oversized files; between 89 and 179 million pixels it only warns."""


def decode(path: Path, *, size: int) -> NDArray[np.uint8]:
    """An image as (3, height, width): upright as its EXIF says, RGB, its shorter side `size` pixels.

    It is scaled as `torchvision.transforms.Resize(size)` scales a Pillow image: the longer side is rounded down,
    the filter is bilinear and widened where it shrinks, so that it does not alias.

    Raises:
        UNREADABLE: the file is damaged, too large, or of a format or mode that is not read.
    """
    # Other libraries switch this on for the whole process; then 387 of 400 cut files decode (measured).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Where Pillow only warns of a large image, the look at its pixels refuses it. Its warning is left to the caller's
    # filters: threads that decode side by side would undo one another's.
    with Image.open(path, formats=FORMATS) as image:
        _check_pixels(image.width, image.height)
        if image.mode not in MODES:
            raise ValueError(f"its mode must be one of {', '.join(MODES)}, 8 bits a channel; got {image.mode}")
        upright = ImageOps.exif_transpose(image).convert("RGB")
    width, height = _scaled(upright.width, upright.height, size=size)
    _check_pixels(width, height)  # a strip of 1 × 50,000,000 would grow to 256 × 12,800,000,000
    scaled = upright.resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.moveaxis(np.asarray(scaled, dtype=np.uint8), 2, 0))


def _scaled(width: int, height: int, *, size: int) -> tuple[int, int]:
    # Float division, as torchvision does it, so that both round down from the same number.
    long = int(size * max(width, height) / min(width, height))
    return (size, long) if width <= height else (long, size)


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels are more than {MAX_PIXELS:,}")
