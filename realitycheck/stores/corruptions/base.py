"""What a corruption is, and how it draws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, C) uint8."""

Corruption = Callable[[Image, int, np.random.Generator], Image]
"""An image, a severity from 1 to 5 and a generator → an image of the same shape. The given one is not changed."""


def generator_of(image: Image, *, kind: str) -> np.random.Generator:
    """A generator that depends on the bytes of an image and on the kind of corruption, and on nothing else.

    So neither the order of images nor the worker nor the model can change a draw. All severities draw alike: a higher
    one is the same corruption, and more of it.
    """
    text = f"{kind} {image.shape}".encode()
    seed = hashlib.sha256(text + np.ascontiguousarray(image).tobytes()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))


def to_bytes(values: NDArray[np.float64]) -> Image:
    """Values rounded to the nearest byte in 0..255; halves to the even one."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
