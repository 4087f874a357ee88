"""Decode images in parts, in parallel; finished parts survive an interruption."""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realitycheck.atomic import draft_of, make_folder, publish
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.interface import require_images
from realitycheck.errors import InputError, Problem
from realitycheck.protocol.recipe import Fit

if TYPE_CHECKING:
    from torch import Tensor

IMAGES_PER_PART = 512
"""130 MB at 256 × 340 pixels, once for each thread."""

THREADS = min(8, os.cpu_count() or 1)
"""Decoding and scaling release the GIL, so threads use all cores and share the dataset."""

DecodeProgress = Callable[[int, int], None]
"""Called with the number of decoded images and the number of all."""

UNREADABLE_PART = (OSError, EOFError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged part can raise."""

Pixels = TypeVar("Pixels", NDArray[np.uint8], "Tensor")
"""(C, H, W) pixels, as an array or a tensor."""


def center(image: Pixels, size: int) -> Pixels:
    """Crop the central (C, size, size) of an image of at least that size, as torchvision's `CenterCrop` does."""
    top, left = (round((side - size) / 2) for side in image.shape[1:])
    return image[:, top : top + size, left : left + size]


@dataclass(frozen=True, slots=True)
class KeptImages:
    """What a store keeps of an image whose shorter side has `size` pixels.

    Args:
        size: side of the squares, or shorter side of whole images, in pixels.
        form: `middle`, the central square; `stretched`, the whole image as a square; `whole`, the image as it is.
    """

    size: int
    form: Literal["middle", "stretched", "whole"]

    @property
    def square(self) -> bool:
        """Whether all images have one shape."""
        return self.form != "whole"

    @property
    def identity(self) -> list[int | str]:
        """What distinguishes a store that keeps this from others."""
        return [self.size] if self.form == "middle" else [self.size, self.form]

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a square (C, size, size), or the whole image as (H, W, C), of a (C, H, W) image."""
        if self.form == "stretched":
            return stretched(image, self.size)
        return center(image, self.size) if self.square else np.moveaxis(image, 0, 2)

    def is_blank(self, kept: NDArray[np.uint8]) -> bool:
        """Whether an image, as it is kept, has one colour."""
        sides = (1, 2) if self.square else (0, 1)
        return bool((kept.min(axis=sides) == kept.max(axis=sides)).all())


def kept_images(*, image_size: int, resize: int | None, fit: Fit) -> KeptImages:
    """What a recipe with these keys keeps; see `Recipe`."""
    if resize is not None:
        return KeptImages(resize, "whole")
    return KeptImages(image_size, "stretched" if fit == "stretch" else "middle")


def stretched(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize a (C, H, W) image to (C, size, size) whatever its shape, by Pillow's bilinear filter with antialiasing."""
    resample = Image.Resampling.BILINEAR
    planes = [np.asarray(Image.fromarray(plane).resize((size, size), resample)) for plane in image]
    return np.stack(planes)


@dataclass(frozen=True, slots=True)
class Decoding:
    """The decoding of the images of a half, in the order of the store.

    Args:
        dataset: source of the images.
        indices: indices into the dataset.
        kept: what is kept of an image.
        folder: folder of the parts until the store is finished.
    """

    dataset: Dataset
    indices: Sequence[int]
    kept: KeptImages
    folder: Path

    def decode(self, *, watch: DecodeProgress) -> None:
        """Decode every missing part.

        Raises:
            InputError: if images cannot be read; it lists all of them.
        """
        make_folder(self.folder)
        left = [number for number in range(self.count) if not self._is_sound(number)]
        problems: list[Problem] = []
        done = self.count - len(left)
        with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
            # Pillow warns of damaged metadata without the file's name; what it cannot decode is reported with it.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            futures = [pool.submit(self._decode, number) for number in left]
            try:
                for future in as_completed(futures):
                    problems += future.result()
                    done += 1
                    watch(min(done * IMAGES_PER_PART, len(self.indices)), len(self.indices))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if problems:
            raise InputError(type(self.dataset).__name__, sorted(problems, key=lambda problem: problem.where))

    @property
    def count(self) -> int:
        """Number of parts."""
        return -(-len(self.indices) // IMAGES_PER_PART)

    def sizes(self) -> NDArray[np.int64]:
        """Return the (N, 2) heights and widths of all images."""
        return np.concatenate([self._array(number, "sizes") for number in range(self.count)])

    def digests(self) -> list[str]:
        """Return the SHA-256, in hex, of the kept pixels of each image."""
        return [str(digest) for number in range(self.count) for digest in self._array(number, "digests")]

    def blank(self) -> list[bool]:
        """Whether all kept pixels of each image are of one colour."""
        return [bool(one) for number in range(self.count) for one in self._array(number, "blank")]

    def pixels(self) -> Iterator[NDArray[np.uint8]]:
        """Iterate over the pixels of the parts, in order."""
        return (self._array(number, "pixels") for number in range(self.count))

    def _array(self, number: int, name: str) -> NDArray[Any]:
        with np.load(self._path(number)) as part:
            array: NDArray[Any] = part[name]
        return array

    def forget(self) -> None:
        """Delete the parts once the store is finished."""
        with suppress(OSError):  # another process has removed it, or writes a part into it
            for path in self.folder.iterdir():
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    def _is_sound(self, number: int) -> bool:
        """Whether a part exists and its checksum matches; a damaged one is removed."""
        path = self._path(number)
        if not path.exists():
            return False
        try:
            with zipfile.ZipFile(path) as part:
                sound = part.testzip() is None
        except UNREADABLE_PART:
            sound = False
        if not sound:
            path.unlink(missing_ok=True)
        return sound

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}-facts.npz"

    def _decode(self, number: int) -> list[Problem]:
        indices = self.indices[number * IMAGES_PER_PART : (number + 1) * IMAGES_PER_PART]
        try:
            decoded = list(self.dataset.images(indices, size=self.kept.size))
            require_images(decoded, self.dataset, indices=indices, size=self.kept.size)
        except InputError as error:
            return list(error.problems)
        images = [self.kept.of(image) for image in decoded]
        sizes = np.array([image.shape[1:] if self.kept.square else image.shape[:2] for image in images], dtype=np.int64)
        digests = np.array([_digest(image) for image in images])
        blank = np.array([self.kept.is_blank(image) for image in images])
        with draft_of(self._path(number)) as draft:
            with draft.open("wb") as file:
                pixels = np.concatenate([image.ravel() for image in images])
                np.savez(file, sizes=sizes, digests=digests, blank=blank, pixels=pixels)
            publish(draft, self._path(number))
        return []


def _digest(image: NDArray[np.uint8]) -> str:
    """SHA-256 of an image's shape and pixels."""
    sha = hashlib.sha256(str(image.shape).encode())
    sha.update(np.ascontiguousarray(image).data)
    return sha.hexdigest()
