"""Random numbers as a pure function of seed, step and place: the same on every device, and after every resume."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MASK = 0xFFFFFFFF
"""32 bits; int64 holds their products with the odd constants below 2^31 without overflow."""


def uniform(seed: Tensor, step: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Float32 numbers of the given shape, each evenly from (0, 1), as tensor operations alone.

    A generator's state would have to be saved with every checkpoint and breaks the graph of `torch.compile`; this is
    a counter mixed by multiply and shift (after the finaliser "lowbias32" of Wellons, 2018).

    Args:
        seed: scalar int64 buffer, what tells runs apart; any value.
        step: scalar int64 buffer, counted up by one at every draw.
        shape: of the answer; its product is below 2^31.
    """
    counter = torch.arange(math.prod(shape), dtype=torch.int64, device=seed.device)
    key = _mix(_mix(seed & MASK) ^ _mix((seed >> 32) & MASK ^ 0x9E3779B9) ^ _mix(step & MASK ^ 0x7F4A7C15))
    bits = _mix(_mix(counter ^ key) ^ key)
    # 23 bits and a half: the largest, 1 - 2^-24, is a float32 below 1.
    return ((bits >> 9).to(torch.float32) + 0.5).mul(2.0**-23).reshape(shape)


def _mix(value: Tensor) -> Tensor:
    value = value ^ (value >> 16)
    value = (value * 0x21F0AAAD) & MASK
    value = value ^ (value >> 15)
    value = (value * 0x735A2D97) & MASK
    return value ^ (value >> 15)
