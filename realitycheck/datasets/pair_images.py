"""The images of a published list of pairs, as a dataset: two images a pair, in the order of the list."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realitycheck.atomic import sha256_of
from realitycheck.canonical import digest
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.decode import SUFFIXES, cause_of, decode
from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.pair_lists import places_of_pairs, read_lfw_pairs, read_packed_pairs
from realitycheck.errors import InputError, Problem

LEAST = 10
"""Pairs of each kind of a list: the accuracy has ten folds."""

_DIGITS = 16
"""Of the SHA-256 that names the content of a list."""


class PairImages(Dataset):
    """The images of a list of pairs. Both images of a pair of one person have one label; all other labels differ.

    Args:
        file: a list in the format of LFW, or without `images` a pickled file of images and flags.
        images: the folder of the images of a list; None for a pickled file, which holds them.
        channels: 3 for RGB, 1 for grey, as the images that models are trained on.

    Raises:
        InputError: the file or an image is missing or damaged, or there are fewer than ten pairs of either kind.
    """

    credit = ""

    def __init__(self, *, file: Path, images: Path | None, channels: int) -> None:
        self.channels = channels
        self._file = file
        packed = read_packed_pairs(file) if images is None else None
        self._sources: tuple[bytes | Path, ...]
        if packed is not None:
            self._sources, self.same = packed.images, packed.same
            self._names = tuple(f"{file.name}, image {number}" for number in range(1, len(self._sources) + 1))
        else:
            assert images is not None
            self._names, self.same = _listed(file, images)
            self._sources = tuple(images / name for name in self._names)
        if min(self.same.count(True), self.same.count(False)) < LEAST:
            says = f"{len(self.same)} pairs are out of range: it must have {LEAST} of either kind. Use a longer list."
            raise InputError.one(str(file), "pairs-few", says)
        steps = np.ones(2 * len(self.same), np.int64)
        steps[1::2] = ~np.asarray(self.same)
        self._labels = np.cumsum(steps) - 1
        self._classes = _names_of_pairs(self.same)

    @cached_property
    def content(self) -> str:
        """The first 16 digits of a SHA-256 of the list and all of its images; it names them in an evaluation."""
        if isinstance(self._sources[0], bytes):
            return sha256_of(self._file)[:_DIGITS]
        return digest([sha256_of(self._file), *self.digests(range(len(self._sources)))])[:_DIGITS]

    @property
    def classes(self) -> tuple[str, ...]:
        """One for each pair of one person, two for each other pair."""
        return self._classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """(2P,) ascending labels: equal within a pair of one person."""
        return self._labels

    @property
    def fingerprint(self) -> str:
        """The content of the list, and the channels of its images."""
        return f"pairs {self.content} {self.channels}"

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode images as (channels, height, width); see `Dataset.images`."""
        problems = []
        for index in indices:
            source = self._sources[index]
            try:
                pixels = decode(io.BytesIO(source) if isinstance(source, bytes) else source, size=size)
            except Exception as error:  # on damaged files Pillow raises whatever its parsers run into
                says = f"cannot be decoded: {cause_of(error)}. Get the file again."
                problems.append(Problem(0, self._names[index], says, "image-unreadable"))
            else:
                yield pixels if self.channels == 3 else _grey(pixels)
        if problems:
            raise InputError(str(self._file), problems)

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return the SHA-256 of the bytes of each image."""
        sources = (self._sources[index] for index in indices)
        return [hashlib.sha256(one).hexdigest() if isinstance(one, bytes) else sha256_of(one) for one in sources]

    def names_of(self, indices: Sequence[int]) -> list[str]:
        """Return the paths below the folder of images, or the number within the file."""
        return [self._names[index] for index in indices]


def _names_of_pairs(same: Sequence[bool]) -> tuple[str, ...]:
    """A name for each label: `pair 1` of one person, `pair 2a` and `pair 2b` of two."""
    names = ([f"pair {pair}"] if one else [f"pair {pair}a", f"pair {pair}b"] for pair, one in enumerate(same, start=1))
    return tuple(chain.from_iterable(names))


def _listed(file: Path, images: Path) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """The paths of the images of a list below their folder, two for each pair, and whether they show one person."""
    folder = needed_folder(str(images), layout="the images of the list, one sub-folder for each person")
    pairs = read_lfw_pairs(file)
    people = sorted({image.partition("/")[0] for image in (*pairs.first, *pairs.second)})
    photos = (path for person in people for path in sorted((folder / person).glob("*")))
    names = [f"{path.parent.name}/{path.name}" for path in photos if path.suffix.lower() in SUFFIXES]
    places = zip(*places_of_pairs(pairs, names, source=str(file)), strict=True)
    return tuple(names[place] for place in chain.from_iterable(places)), pairs.same


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(1, height, width) luminance of (3, height, width) RGB, by ITU-R 601 as Pillow has it."""
    return np.asarray(Image.fromarray(np.moveaxis(pixels, 0, 2)).convert("L"), dtype=np.uint8)[None]
