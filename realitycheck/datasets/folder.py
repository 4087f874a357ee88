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
    middle square.

    Args:
        root: the folder.

    Raises:
        InputError: it is not a folder, a class is empty, or a link leads out of it; all such are named.
    """

    credit = ""
    channels = 3

    def __init__(self, *, root: str) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            says = "must be a folder with one sub-folder per class; there is none."
            raise InputError(root, [Problem(0, "root", says)])
        found = {each.name: _images(each) for each in sorted(self.root.iterdir()) if _is_class(each)}
        problems = [*_empty(found), *_outside(self.root, found)]
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
    paths = (each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
    return sorted(each for each in paths if not each.name.startswith("."))


def _empty(found: dict[str, list[Path]]) -> Iterator[Problem]:
    for name, paths in found.items():
        if not paths:
            yield Problem(0, name, "must hold at least one image; it holds none. Fill it or remove it.")


def _outside(root: Path, found: dict[str, list[Path]]) -> Iterator[Problem]:
    inside = os.path.realpath(root)
    for paths in found.values():
        for path in paths:
            if not Path(os.path.realpath(path)).is_relative_to(inside):
                says = "must lie inside the folder; it is a link that leads out."
                yield Problem(0, str(path.relative_to(root)), says)


def _decode(path: Path, size: int) -> NDArray[np.uint8]:
    # Other libraries switch this on for the whole process; then 387 of 400 cut files decode (measured).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width}×{image.height} pixels are more than {MAX_PIXELS:,}")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    square = ImageOps.fit(upright, (size, size), method=Image.Resampling.BILINEAR)
    return np.moveaxis(np.asarray(square, dtype=np.uint8), 2, 0)
