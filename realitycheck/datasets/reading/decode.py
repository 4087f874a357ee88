"""Decode and scale image files."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
"""Names of files that are read, in small letters. They are the same on every machine: a file that this machine's
Pillow cannot decode is reported, never left out."""

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Pillow's modes of at most 8 bits per channel. Pillow would convert others to RGB by clipping: 16-bit greys at 255,
and floats in [0, 1] to 0."""

MAX_PIXELS = 50_000_000
"""Limit against decompression bombs: a PNG of 20 kB can hold 13,000² pixels, 483 MiB as RGB, and Pillow would only
warn (measured)."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what turns the image upright; every other value shows it as it is stored."""


def decode(source: Path | BinaryIO, *, size: int) -> NDArray[np.uint8]:
    """Decode an image to (3, height, width) RGB uint8, oriented by its EXIF data, with a shorter side of `size` pixels.

    The result equals `torchvision.transforms.Resize(size)` on a Pillow image: the longer side is rounded down, and
    the filter is bilinear with antialiasing.

    Of an animation or a file of several pages, the first image is read. Transparency is dropped, not blended.

    Raises:
        Exception: if the file is damaged, too large, or of an unsupported format or mode. Pillow raises many types on
            damaged files, such as `struct.error`; `cause_of` puts them into words.
    """
    # Other libraries enable this for the whole process; then 387 of 400 truncated files decode (measured).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Pillow's own warning about large images is left to the caller's filters: changing the filters here would not be
    # safe between threads. `_check_pixels` rejects these images.
    with Image.open(source, formats=FORMATS) as image:
        _check_pixels(image.width, image.height)
        if image.mode not in MODES:
            raise ValueError(f"unsupported mode {image.mode}; supported are {', '.join(MODES)} (8 bits per channel)")
        image.load()
        upright = _upright(image).convert("RGB")
    width, height = _scaled(upright.width, upright.height, size=size)
    _check_pixels(width, height)  # a strip of 1 × 50,000,000 would grow to 256 × 12,800,000,000
    scaled = upright.resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.moveaxis(np.asarray(scaled, dtype=np.uint8), 2, 0))


def cause_of(error: Exception) -> str:
    """Say why a file could not be decoded, without its path."""
    if isinstance(error, UnidentifiedImageError):
        return f"damaged, or no image of a supported format ({', '.join(FORMATS)})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    kind = "" if isinstance(error, OSError | ValueError) else type(error).__name__
    return ": ".join(filter(None, (kind, str(error)))) or type(error).__name__


def _upright(image: Image.Image) -> Image.Image:
    """Turn an image by its orientation, and read nothing else of its EXIF data.

    `ImageOps.exif_transpose` writes all tags again, and fails on a tag of an odd type (Pillow issue 6882).
    """
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # viewers show an image whose EXIF data are damaged as it is stored
        return image
    return image if turn is None else image.transpose(turn)


def _scaled(width: int, height: int, *, size: int) -> tuple[int, int]:
    # Float division as in torchvision, so that both round down from the same number.
    long = int(size * max(width, height) / min(width, height))
    return (size, long) if width <= height else (long, size)


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels exceed the limit of {MAX_PIXELS:,}")
