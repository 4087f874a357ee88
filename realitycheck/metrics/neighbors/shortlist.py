"""Shortlists of the items that can be among the nearest, from float32 products in tiles.

There is no N×N table. A block's products fill one reused sheet. Elementwise minima over its column tiles leave
each row with about a thousand values, the k-th lowest of which is no lower than the k-th lowest of all. The values
below this bound, widened by the band of the float32 error, are the shortlist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.packed import fits, item_bits, pack
from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import below, in_order, kth_lowest

_KEYS = 8
"""Keys of a row with all others that take as long as the key of one listed pair, at least."""

_PAIRS = 2**20
"""Approximate number of pairs that are sorted at a time: about 60 MB."""


_MIRRORED = 2048
"""Items from which on a product for both of its rows saves more time than the search for a limit takes."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Partition of the N×N products; it affects time and memory, but not the result.

    Args:
        rows: queries of one block.
        columns: items of one matrix product of a sheet; more if many neighbours are wanted.
        mirror: rows and columns of the square tiles of `Mirror`, on a CPU; 0 disables it.
    """

    rows: int
    columns: int
    mirror: int

    @classmethod
    def fitting(cls, items: int, *, device: torch.device) -> Tiles:
        """Choose tiles with a sheet below 64 MB. `Mirror` pays off on a CPU, where multiplications are expensive."""
        mirror = 512 if device.type == "cpu" and items >= _MIRRORED and fits(rows=512, items=items) else 0
        return cls(rows=min(512, max(16, 2**24 // items)), columns=512, mirror=mirror)


class Shortlist(NamedTuple):
    """The smallest products of q queries.

    Args:
        query: (q,) positions of the queries among the points.
        wanted: largest number of neighbours wanted for one of these queries.
        row: (q,) ascending numbers of their rows in `packed`.
        packed: (P,) sorted rows, products and positions of items, as of `packed.pack`; each row in `row` occurs at
            least `wanted` times. Empty if, because of ties, a comparison with every distinct row costs less.
    """

    query: Tensor
    wanted: int
    row: Tensor
    packed: Tensor


def shortlists(points: Points, *, query: Tensor, wanted: Tensor, tiles: Tiles) -> Iterator[Shortlist]:
    """Iterate over the shortlists of all queries.

    Args:
        points: N rows.
        query: (Q,) positions of the queries, in any order.
        wanted: (Q,) numbers of neighbours.
        tiles: partition of the work.
    """
    order = wanted.argsort(descending=True, stable=True)
    query, wanted = query[order], wanted[order]
    sheet = points.left.new_empty(min(tiles.rows, len(query)), len(points))
    low = 0
    while low < len(query):
        most = int(wanted[low])
        part = query[low : low + max(1, min(tiles.rows, _PAIRS // most))]
        yield from _block(points, sheet[: len(part)], part, wanted=most, columns=tiles.columns)
        low += len(part)


@contextmanager
def full_float32() -> Iterator[None]:
    """Disable TF32, bfloat16 and autocast, because the error bound holds for IEEE float32 products."""
    backends = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision


def _block(points: Points, sheet: Tensor, query: Tensor, *, wanted: int, columns: int) -> Iterator[Shortlist]:
    """Yield one shortlist of all rows of the block, or several if ties make it long."""
    with full_float32():
        least = _fill(points, sheet, query, width=max(columns, 8 * wanted))
    flat = below(sheet, (kth_lowest(least, wanted) + points.band[query]).unsqueeze(1))
    ends = torch.searchsorted(flat, sheet.shape[1] * torch.arange(1, len(query) + 1, device=flat.device))
    for low, high in _parts(ends.tolist()):
        part = flat[int(ends[low - 1]) if low else 0 : int(ends[high - 1])]
        row = torch.arange(high - low, device=part.device)
        if _crowded(points, len(part) // (high - low), wanted=wanted):
            yield Shortlist(query[low:high], wanted, row, part[:0])
            continue
        yield Shortlist(query[low:high], wanted, row, in_order(_packed(sheet, part, low=low)))


def _packed(sheet: Tensor, flat: Tensor, *, low: int) -> Tensor:
    """Return the packed products at flat positions of a sheet, with rows that count from `low`."""
    row = flat // sheet.shape[1]
    value = sheet.view(-1).index_select(0, flat)
    return pack(row - low, value, flat - row * sheet.shape[1], bits=item_bits(sheet.shape[1]))


def _parts(ends: list[int]) -> Iterator[tuple[int, int]]:
    """Partition rows with lists that end at `ends` into parts of about `_PAIRS` pairs."""
    low = 0
    if ends[-1] < _PAIRS:
        yield low, len(ends)
        return
    for row, end in enumerate(ends, start=1):
        if row == len(ends) or end - (ends[low - 1] if low else 0) >= _PAIRS:
            yield low, row
            low = row


def _crowded(points: Points, size: int, *, wanted: int) -> bool:
    """Return whether lists of this mean length cost more than a comparison with every distinct row.

    This bounds the work: a query costs `256 + 4 * wanted` keys of listed pairs, or one key per distinct row, or an
    eighth of that number of keys of listed pairs.
    """
    return size > 256 + 4 * wanted and _KEYS * size > points.distinct


def _fill(points: Points, sheet: Tensor, query: Tensor, *, width: int) -> Tensor:
    """Fill the sheet, with infinity for the query itself, and return the (n, ≤ width) minima over column tiles."""
    left = points.left.index_select(0, query)
    least = sheet.new_full((len(query), min(width, len(points))), torch.inf)
    for low in range(0, len(points), width):
        tile, part = sheet[:, low : low + width], least[:, : len(points) - low]
        torch.mm(left, points.right[low : low + width].T, out=tile)
        own = ((query >= low) & (query < low + width)).nonzero().flatten()
        tile[own, query[own] - low] = torch.inf
        torch.minimum(part, tile, out=part)
    return least
