"""Rows, float32 products and items packed into 64-bit integers, so that one sort of integers orders them.

From the highest bit: the row, 32 bits of the product, and the item in as many bits as the items need. The bits of
floats become ascending integers; those of negative floats decrease as the floats increase, so they are inverted.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOW31, _HALF = 2**31 - 1, 2**31

_ITEM_AND_ROW = 31
"""Bits left for the item and the row beside the product and the sign."""


def item_bits(items: int) -> int:
    """Return the number of bits of item numbers below `items`."""
    return max(1, (items - 1).bit_length())


def fits(*, rows: int, items: int) -> bool:
    """Return whether row numbers and item numbers below these limits fit beside a product."""
    return item_bits(items) + (rows - 1).bit_length() <= _ITEM_AND_ROW


def pack(row: Tensor, value: Tensor, item: Tensor | int, *, bits: int) -> Tensor:
    """Return int64 integers that sort by row, then by value, then by item.

    Args:
        row: (P,) int64 numbers of rows.
        value: (P,) float32 products.
        item: (P,) int64 numbers of items, or one for all.
        bits: `item_bits` of all items.
    """
    packed = _inverted(value.view(torch.int32)).to(torch.int64)
    return packed.add_(_HALF).add_(row << 32).bitwise_left_shift_(bits).add_(item)


def row_of(packed: Tensor, *, bits: int) -> Tensor:
    """Return the int64 rows."""
    return packed >> bits + 32


def value_of(packed: Tensor, *, bits: int) -> Tensor:
    """Return the float32 products."""
    return _inverted((packed >> bits).sub_(_HALF).to(torch.int32)).view(torch.float32)


def item_of(packed: Tensor, *, bits: int) -> Tensor:
    """Return the int64 items."""
    return packed & (1 << bits) - 1


def _inverted(integers: Tensor) -> Tensor:
    """Invert the lower bits of negative int32; the function is its own inverse."""
    return (integers >> 31).bitwise_and_(_LOW31).bitwise_xor_(integers)
