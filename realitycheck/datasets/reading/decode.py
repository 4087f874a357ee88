"""Decode and scale image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Pillow's modes of at most 8 bits per channel. Pillow would convert others to RGB by clipping: 16-bit greys at 255,
and floats in [0, 1] to 0."""

MAX_PIXELS = 50_000_000
"""Limit against decompression bombs: a PNG of 20 kB can hold 13,000² pixels, 483 MiB as RGB, and Pillow would only
warn (measured)."""

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""Exceptions of Pillow on damaged or oversized files; between 89 and 179 million pixels it only warns."""


def decode(path: Path, *, size: int) -> NDArray[np.uint8]:
    """Decode an image to (3, height, width) RGB uint8, oriented by its EXIF data, with a shorter side of `size` pixels.

    The result equals `torchvision.transforms.Resize(size)` on a Pillow image: the longer side is rounded down, and
    the filter is bilinear with antialiasing.

    Raises:
        UNREADABLE: if the file is damaged, too large, or of an unsupported format or mode.
    """
    # Other libraries enable this for the whole process; then 387 of 400 truncated files decode (measured).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Pillow's own warning about large images is left to the caller's filters: changing the filters here would not be
    # safe between threads. `_check_pixels` rejects these images.
    with Image.open(path, formats=FORMATS) as image:
        _check_pixels(image.width, image.height)
        if image.mode not in MODES:
            raise ValueError(f"unsupported mode {image.mode}; supported are {', '.join(MODES)} (8 bits per channel)")
        upright = ImageOps.exif_transpose(image).convert("RGB")
    width, height = _scaled(upright.width, upright.height, size=size)
    _check_pixels(width, height)  # a strip of 1 × 50,000,000 would grow to 256 × 12,800,000,000
    scaled = upright.resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.moveaxis(np.asarray(scaled, dtype=np.uint8), 2, 0))


def _scaled(width: int, height: int, *, size: int) -> tuple[int, int]:
    # Float division as in torchvision, so that both round down from the same number.
    long = int(size * max(width, height) / min(width, height))
    return (size, long) if width <= height else (long, size)


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels exceed the limit of {MAX_PIXELS:,}")
