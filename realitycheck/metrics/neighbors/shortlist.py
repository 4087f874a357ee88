"""Shortlists of the items that can be among the nearest, from float32 products of blocks of queries.

There is no N×N table. A block's products fill one reused sheet. Elementwise minima over groups of its columns leave
each row with about a thousand values, the k-th lowest of which is no lower than the k-th lowest of all. The values
below this bound, widened by the band of the float32 error, are the shortlist.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.packed import item_bits, pack
from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import below, in_order, kth_lowest
from realitycheck.metrics.neighbors.tiles import Tiles

_KEYS = 8
"""Keys of a row with all others that take as long as the key of one listed pair, at least."""


class Shortlist(NamedTuple):
    """The smallest products of q queries.

    Args:
        query: (q,) positions of the queries among the points.
        wanted: largest number of neighbours wanted for one of these queries.
        row: (q,) ascending numbers of their rows in `packed`.
        rows: what these numbers are below.
        packed: (P,) sorted rows, products and positions of items, as of `packed.pack`; each row in `row` occurs at
            least `wanted` times. Empty if, because of ties, a comparison with every distinct row costs less.
    """

    query: Tensor
    wanted: int
    row: Tensor
    rows: int
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
    query, most = query[order], wanted[order].tolist()
    groups, _ = _groups(len(points), about=tiles.columns)
    memory = points.left.new_empty(min(tiles.rows, len(query)) * (len(points) + 4 * groups))
    low = 0
    while low < len(query):
        part = query[low : low + max(1, min(tiles.rows, tiles.pairs // most[low]))]
        yield from _block(points, memory, part, wanted=most[low], tiles=tiles)
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


def _block(points: Points, memory: Tensor, query: Tensor, *, wanted: int, tiles: Tiles) -> Iterator[Shortlist]:
    """Yield one shortlist of all rows of the block, or several if ties make it long."""
    groups, width = _groups(len(points), about=max(tiles.columns, 8 * wanted))
    sheet = memory[: len(query) * groups * width].view(len(query), groups * width)
    _fill(sheet, points, query)
    least = sheet.view(len(query), groups, width).amin(1)
    flat = below(sheet, (kth_lowest(least, wanted) + points.band[query]).unsqueeze(1))
    for low, high, part in _parts(flat, rows=len(query), width=groups * width, pairs=tiles.pairs):
        row = torch.arange(high - low, device=part.device)
        if _crowded(points, len(part) // (high - low), wanted=wanted):
            part = part[:0]
        packed = _packed(sheet, part, low=low, items=len(points))
        yield Shortlist(query[low:high], wanted, row, high - low, packed)


def _groups(items: int, *, about: int) -> tuple[int, int]:
    """Return the number of equal groups of columns of a sheet, and their width.

    The width is two thirds of `about` or more, unless there is one group. It is a multiple of four, because torch's
    reductions then read four floats at a time on a GPU. So fewer than four columns a group are added to the items.
    """
    groups = max(1, round(items / about))
    return groups, -(-items // (4 * groups)) * 4


def _fill(sheet: Tensor, points: Points, query: Tensor) -> None:
    """Fill a sheet with the products of queries, and with infinity for the query itself and columns of no item."""
    products = sheet[:, : len(points)]
    with full_float32():
        torch.mm(points.left.index_select(0, query), points.right.T, out=products)
    products.scatter_(1, query.unsqueeze(1), torch.inf)
    sheet[:, len(points) :] = torch.inf


def _packed(sheet: Tensor, flat: Tensor, *, low: int, items: int) -> Tensor:
    """Return the sorted packed products at flat positions of a sheet, with rows that count from `low`."""
    row = flat // sheet.shape[1]
    value = sheet.view(-1).index_select(0, flat)
    return in_order(pack(row - low, value, flat - row * sheet.shape[1], bits=item_bits(items)))


def _parts(flat: Tensor, *, rows: int, width: int, pairs: int) -> Iterator[tuple[int, int, Tensor]]:
    """Partition the flat positions of the rows of a sheet into those of consecutive rows, of about `pairs` each."""
    if len(flat) < pairs:
        yield 0, rows, flat
        return
    ends = torch.searchsorted(flat, width * torch.arange(1, rows + 1, device=flat.device)).tolist()
    low = begin = 0
    for high, end in enumerate(ends, start=1):
        if high == rows or end - begin >= pairs:
            yield low, high, flat[begin:end]
            low, begin = high, end


def _crowded(points: Points, size: int, *, wanted: int) -> bool:
    """Return whether lists of this mean length cost more than a comparison with every distinct row.

    This bounds the work: a query costs `256 + 4 * wanted` keys of listed pairs, or one key per distinct row, or an
    eighth of that number of keys of listed pairs.
    """
    return size > 256 + 4 * wanted and _KEYS * size > points.distinct
