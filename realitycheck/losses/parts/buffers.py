"""Buffers that a loss changes in the same step in which it computes with them."""

from __future__ import annotations

from torch import Tensor


def held(value: Tensor) -> Tensor:
    """The value, to be computed with after the buffer that it comes from was changed in place.

    A compiled backward may compute anew, from its inputs, what the forward has computed, and would find the buffer
    already changed: a wrong gradient without a word (torch 2.15, inductor). A running sum, here over one element, is
    never computed anew.
    """
    return value.unsqueeze(0).cumsum(0, dtype=value.dtype).squeeze(0)
