"""Which items can be among the nearest: float32 products, tile after tile, each cut down at once.

No N×N table exists. A block's products fill one reused sheet. Elementwise minima over its column tiles leave
each row with about a thousand numbers, whose k-th lowest is no lower than the k-th lowest of all. What lies
below that bound, widened by the band of the float32 error, is the shortlist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import below, kth_lowest, order_in_rows

_PAIRS = 2**20
"""About how many pairs are ordered at once: some 60 MB."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """How the N×N products are cut; it moves time and memory, never a result.

    Args:
        rows: queries of one block.
        columns: items of one matrix product of a sheet; a query that wants many neighbours gets more.
        mirror: rows and columns of the square tiles that `Mirror` begins with, on a CPU; 0 to do without it.
    """

    rows: int
    columns: int
    mirror: int

    @classmethod
    def fitting(cls, items: int, *, device: torch.device) -> Tiles:
        """Tiles whose sheet stays below 64 MB. Multiplications are dear on a CPU, and cheap on a GPU."""
        mirror = 512 if device.type == "cpu" else 0
        return cls(rows=min(512, max(16, 2**24 // items)), columns=1024, mirror=mirror)


class Shortlist(NamedTuple):
    """What P products say of q queries, in the order of the queries and, for each, of the values.

    Args:
        query: (q,) places of the queries among the points.
        wanted: how many neighbours the first of them wants, and none wants more.
        row: (P,) places in `query`, rising; each occurs at least `wanted` times. Empty where ties make the
            lists longer than a comparison with every distinct row would be.
        item: (P,) places among the points.
        value: (P,) float32 products.
    """

    query: Tensor
    wanted: int
    row: Tensor
    item: Tensor
    value: Tensor


def shortlists(points: Points, *, query: Tensor, wanted: Tensor, tiles: Tiles) -> Iterator[Shortlist]:
    """The items that can be among the nearest of each query.

    Args:
        points: N rows.
        query: (Q,) places of the queries, those who want most neighbours before others.
        wanted: (Q,) how many neighbours each wants, in that order.
        tiles: how to cut.
    """
    sheet = points.left.new_empty(min(tiles.rows, len(query)), len(points))
    low = 0
    while low < len(query):
        most = int(wanted[low])
        part = query[low : low + max(1, min(tiles.rows, _PAIRS // most))]
        yield from _block(points, sheet[: len(part)], part, wanted=most, columns=tiles.columns)
        low += len(part)


@contextmanager
def full_float32() -> Iterator[None]:
    """No TF32, no bfloat16, no autocast: the band of the error is that of true float32 products."""
    settings = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [each.fp32_precision for each in settings]
    try:
        for each in settings:
            each.fp32_precision = "ieee"
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            yield
    finally:
        for each, precision in zip(settings, before, strict=True):
            each.fp32_precision = precision


def _block(points: Points, sheet: Tensor, query: Tensor, *, wanted: int, columns: int) -> Iterator[Shortlist]:
    """One shortlist of all rows of the block, or several where ties make it long."""
    with full_float32():
        least = _fill(points, sheet, query, width=max(columns, 8 * wanted))
    flat = below(sheet, (kth_lowest(least, wanted) + points.band[query]).unsqueeze(1))
    ends = torch.searchsorted(flat, sheet.shape[1] * torch.arange(1, len(query) + 1, device=flat.device))
    for low, high in _parts(ends.tolist()):
        part = flat[int(ends[low - 1]) if low else 0 : int(ends[high - 1])]
        if _crowded(points, len(part) // (high - low), wanted=wanted):
            yield Shortlist(query[low:high], wanted, part[:0], part[:0], sheet[0, :0])
            continue
        row = part // sheet.shape[1]
        item = part - row * sheet.shape[1]
        value = sheet[row, item]
        order = order_in_rows(row, value)
        yield Shortlist(query[low:high], wanted, row - low, item[order], value[order])


def _parts(ends: list[int]) -> Iterator[tuple[int, int]]:
    """Cut rows, whose lists end at `ends`, where about `_PAIRS` have come together."""
    low = 0
    for row, end in enumerate(ends, start=1):
        if row == len(ends) or end - (ends[low - 1] if low else 0) >= _PAIRS:
            yield low, row
            low = row


def _crowded(points: Points, size: int, *, wanted: int) -> bool:
    """Whether lists of that mean length cost more than comparing with every distinct row."""
    return size > 256 + 4 * wanted and size > points.distinct


def _fill(points: Points, sheet: Tensor, query: Tensor, *, width: int) -> Tensor:
    """Fill the sheet, infinity for the query itself; return the (n, ≤ width) minima over the column tiles."""
    left = points.left[query]
    least = sheet.new_full((len(query), min(width, len(points))), torch.inf)
    for low in range(0, len(points), width):
        tile, part = sheet[:, low : low + width], least[:, : len(points) - low]
        torch.mm(left, points.right[low : low + width].T, out=tile)
        own = ((query >= low) & (query < low + width)).nonzero().flatten()
        tile[own, query[own] - low] = torch.inf
        torch.minimum(part, tile, out=part)
    return least
