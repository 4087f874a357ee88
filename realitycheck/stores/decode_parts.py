"""Images decoded in parts, side by side: what is done stays done when the rest is interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem
from realitycheck.stores.cache import publish

EACH = 512
"""Images of a part: 130 MB at 256 × 340 pixels, held once by each thread."""

THREADS = min(8, os.cpu_count() or 1)
"""Decoding and scaling let go of Python's lock, so threads fill the cores and share the dataset."""

Watch = Callable[[int, int], None]
"""Called with the number of images that are decoded, and of all."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """The images of a half, in the order of the store.

    Args:
        dataset: where they come from.
        indices: into the dataset.
        size: pixels of the shorter side.
        square: whether the middle square is all that is kept.
        folder: where the parts lie until the store is whole.
    """

    dataset: Dataset
    indices: Sequence[int]
    size: int
    square: bool
    folder: Path

    def decode(self, *, watch: Watch) -> None:
        """Make every part that is not there.

        Raises:
            InputError: images cannot be read; it names all of them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        left = [number for number in range(self.count) if not self._path(number).exists()]
        problems: list[Problem] = []
        done = self.count - len(left)
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(self._decode, number) for number in left]
            try:
                for each in as_completed(futures):
                    problems += each.result()
                    done += 1
                    watch(min(done * EACH, len(self.indices)), len(self.indices))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if problems:
            raise InputError(type(self.dataset).__name__, sorted(problems, key=lambda each: each.where))

    @property
    def count(self) -> int:
        """Parts."""
        return -(-len(self.indices) // EACH)

    def sizes(self) -> NDArray[np.int64]:
        """(N, 2) heights and widths."""
        return np.concatenate([self._array(number, "sizes") for number in range(self.count)])

    def pixels(self) -> Iterator[NDArray[np.uint8]]:
        """All bytes of one part after the other."""
        return (self._array(number, "pixels") for number in range(self.count))

    def _array(self, number: int, name: str) -> NDArray[Any]:
        with np.load(self._path(number)) as part:
            found: NDArray[Any] = part[name]
        return found

    def forget(self) -> None:
        """Delete the parts; the store is whole."""
        for each in self.folder.iterdir():
            each.unlink()
        self.folder.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npz"

    def _decode(self, number: int) -> list[Problem]:
        wanted = self.indices[number * EACH : (number + 1) * EACH]
        try:
            images = [self._kept(each) for each in self.dataset.images(wanted, size=self.size)]
        except InputError as error:
            return list(error.problems)
        draft = self._path(number).with_suffix(f".{os.getpid()}.part")
        with draft.open("wb") as file:
            sizes = np.array([each.shape[1:] if self.square else each.shape[:2] for each in images], dtype=np.int64)
            np.savez(file, sizes=sizes, pixels=np.concatenate([each.ravel() for each in images]))
        publish(draft, self._path(number))
        return []

    def _kept(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The middle square as (C, H, W), or the whole image as (H, W, C)."""
        if not self.square:
            return np.moveaxis(image, 0, 2)
        top, left = (round((side - self.size) / 2) for side in image.shape[1:])
        return image[:, top : top + self.size, left : left + self.size]
