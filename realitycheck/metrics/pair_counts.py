"""How many pairs there are, readable without torch."""

from __future__ import annotations

from collections.abc import Sequence


def possible_pairs(sizes: Sequence[int]) -> tuple[int, int]:
    """How many pairs of one class and of two exist among classes of these sizes."""
    same = sum(size * (size - 1) // 2 for size in sizes)
    return same, sum(sizes) * (sum(sizes) - 1) // 2 - same
