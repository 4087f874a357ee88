"""Anyone's images: one folder a class."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}

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


class Folder(Dataset):
    """A folder with one sub-folder of images per class. Names that begin with a dot are passed over.

    Images are turned as their EXIF says, made RGB, scaled until the shorter side is `size`, and cut to the
    middle square. Images of 16-bit greys or of floats are refused: their range is for their owner to map to 8 bits.

    Args:
        root: the folder.

    Raises:
        InputError: it is not a folder, a class is empty or holds a folder, or a name of an image is a link that leads
            out or no file at all; all such are named.
    """

    credit = ""
    channels = 3

    def __init__(self, *, root: str) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            says = "must be a folder with one sub-folder per class; there is none."
            raise InputError(root, [Problem(0, "root", says)])
        found = {each.name: _images(each) for each in sorted(self.root.iterdir()) if _is_class(each)}
        problems = [*_nested(self.root, found), *_empty(self.root, found)]
        problems += [*_outside(self.root, found), *_no_files(self.root, found)]
        if problems or not found:
            says = "must hold one sub-folder of images per class; it holds none."
            raise InputError(root, problems or [Problem(0, "root", says)])
        self._classes = tuple(found)
        self._paths = [path for paths in found.values() for path in paths]
        self._labels = np.repeat(np.arange(len(found)), [len(paths) for paths in found.values()])

    @property
    def classes(self) -> tuple[str, ...]:
        """The sub-folders' names, sorted."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) class by class, files of a class by name."""
        return self._labels

    @property
    def fingerprint(self) -> str:
        """A digest of every file's name, size and time of change."""
        stats = [(str(path.relative_to(self.root)), path.stat()) for path in self._paths]
        text = json.dumps([(name, each.st_size, each.st_mtime_ns) for name, each in stats])
        return hashlib.sha256(text.encode()).hexdigest()

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """(3, size, size) RGB images; bad files are named all at once, when the last one has been tried."""
        problems = []
        for index in indices:
            path = self._paths[index]
            try:
                yield _decode(path, size)
            except UNREADABLE as error:
                says = f"cannot be decoded: {error}. Replace it."
                problems.append(Problem(0, str(path.relative_to(self.root)), says))
        if problems:
            raise InputError(str(self.root), problems)


def _is_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _images(folder: Path) -> list[Path]:
    paths = (each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and not each.is_dir())
    return sorted(each for each in paths if not each.name.startswith("."))


def _folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if _is_class(each))


def _nested(root: Path, found: dict[str, list[Path]]) -> Iterator[Problem]:
    """Images further down would be left out without a word."""
    for name in found:
        if inner := _folders(root / name):
            told = ", ".join(inner[:3]) + (f" and {len(inner) - 3} more" if len(inner) > 3 else "")
            says = f"must hold images and no folder; it holds {told}. Move their images up, or remove them."
            yield Problem(0, name, says)


def _empty(root: Path, found: dict[str, list[Path]]) -> Iterator[Problem]:
    for name, paths in found.items():
        if not paths and not _folders(root / name):
            yield Problem(0, name, "must hold at least one image; it holds none. Fill it or remove it.")


def _outside(root: Path, found: dict[str, list[Path]]) -> Iterator[Problem]:
    inside = os.path.realpath(root)
    for paths in found.values():
        for path in paths:
            if not Path(os.path.realpath(path)).is_relative_to(inside):
                says = "must lie inside the folder; it is a link that leads out."
                yield Problem(0, str(path.relative_to(root)), says)


def _no_files(root: Path, found: dict[str, list[Path]]) -> Iterator[Problem]:
    """A pipe would let the reader wait for ever."""
    for path in (path for paths in found.values() for path in paths):
        if not path.is_file():
            says = "must be a file; it is a pipe, a device or a link to nothing. Remove it."
            yield Problem(0, str(path.relative_to(root)), says)


def _decode(path: Path, size: int) -> NDArray[np.uint8]:
    # Other libraries switch this on for the whole process; then 387 of 400 cut files decode (measured).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width}×{image.height} pixels are more than {MAX_PIXELS:,}")
            if image.mode not in MODES:
                raise ValueError(f"its mode must be one of {', '.join(MODES)}, 8 bits a channel; got {image.mode}")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    square = ImageOps.fit(upright, (size, size), method=Image.Resampling.BILINEAR)
    return np.moveaxis(np.asarray(square, dtype=np.uint8), 2, 0)
