"""Random numbers as a pure function of seed, step and position, the same on every device and after every resume."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MASK = 0xFFFFFFFF
"""32 bits; their products with odd constants below 2^31 fit into int64."""


def uniform(seed: Tensor, step: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return float32 numbers of the given shape, uniform in (0, 1), with tensor operations only.

    The state of a generator would have to be saved with every checkpoint, and it breaks the graph of `torch.compile`.
    This is a counter mixed by multiplications and shifts, after the finaliser "lowbias32" of Wellons (2018).

    Args:
        seed: scalar int64 buffer with any value.
        step: scalar int64 buffer, to be increased by one after every draw.
        shape: shape of the result; its product is below 2^31.
    """
    counter = torch.arange(math.prod(shape), dtype=torch.int64, device=seed.device)
    key = _mix(_mix(seed & MASK) ^ _mix((seed >> 32) & MASK ^ 0x9E3779B9) ^ _mix(step & MASK ^ 0x7F4A7C15))
    bits = _mix(_mix(counter ^ key) ^ key)
    # 23 bits plus a half, so that the largest value, 1 - 2^-24, is a float32 below 1.
    return ((bits >> 9).to(torch.float32) + 0.5).mul(2.0**-23).reshape(shape)


def _mix(value: Tensor) -> Tensor:
    value = value ^ (value >> 16)
    value = (value * 0x21F0AAAD) & MASK
    value = value ^ (value >> 15)
    value = (value * 0x735A2D97) & MASK
    return value ^ (value >> 15)
