"""Exact nearest neighbours, on any device and in bounded memory.

Neighbours are ordered by the float64 keys of `points`, ties by lower item number; a query is not its own neighbour.
Shortlists come from float32 products. Float64 keys are computed only where two products differ by less than their
proven error, so the result does not depend on tiles, threads or devices.

On a GPU a block of queries takes about 110 operations, and the host waits 7 times (counted on a CPU, classes of five).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.errors import InputError
from realitycheck.metrics.neighbors.close_runs import nearest_of_shortlist
from realitycheck.metrics.neighbors.points import SOURCE, Points, prepare_rows
from realitycheck.metrics.neighbors.scales import scales
from realitycheck.metrics.neighbors.selection import kth_lowest, places, taken
from realitycheck.metrics.neighbors.shortlist import Shortlist, shortlists
from realitycheck.metrics.neighbors.symmetric_tiles import Mirror, tile_order
from realitycheck.metrics.neighbors.tiles import Tiles


class Neighbors(NamedTuple):
    """A block of queries and their nearest items, nearest first.

    Args:
        query: (q,) int64 item numbers.
        nearest: (q, k) int64 item numbers; k is the largest number wanted for one of these queries.
    """

    query: Tensor
    nearest: Tensor


def nearest(embeddings: Tensor, *, k: int, distance: str) -> Tensor:
    """Return the (N, k) int64 numbers of each row's k nearest other rows, nearest first.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        k: number of neighbours, in [1, N - 1].
        distance: `cosine` or `euclidean`; a zero row has cosine 0 with every row.

    Raises:
        InputError: if an argument is invalid.
    """
    wanted = torch.full((len(embeddings),), k, device=embeddings.device)
    blocks = list(nearest_blocks(embeddings, wanted=wanted, kind=None, distance=distance, tiles=None))
    query = torch.cat([block.query for block in blocks])
    return torch.cat([block.nearest for block in blocks])[query.argsort()]


def nearest_blocks(
    embeddings: Tensor, *, wanted: Tensor, kind: Tensor | None, distance: str, tiles: Tiles | None
) -> Iterator[Neighbors]:
    """Iterate over blocks of queries and their neighbours.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        wanted: (N,) int64 numbers of neighbours, at most N - 1; 0 for a row that is not a query.
        kind: None; or (N,) int64 class indices, which save work: the ranks of items of the query's kind are exact,
            but items of the same kind, or of other kinds, can be interchanged.
        distance: `cosine` or `euclidean`.
        tiles: partition of the work, or None for a default that suits most machines.

    Raises:
        InputError: if an argument is invalid, or all of `wanted` are 0.
    """
    tiles = tiles or Tiles.fitting(max(1, len(wanted)), device=wanted.device)
    number = tile_order(wanted, rows=tiles.mirror)
    points = prepare_rows(embeddings, number, distance=distance, numbers=tiles.numbers)
    _check(wanted, items=len(points))
    wanted, kind = wanted[number], None if kind is None else kind[number]
    for row, queries in scales(points, wanted=wanted):
        if len(row) == len(points) and queries == int((wanted > 0).sum()):
            yield from _neighbors(points, wanted=wanted, number=number, kind=kind, tiles=tiles)
            continue
        counts = wanted[row].masked_fill(torch.arange(len(row), device=row.device) >= queries, 0)
        order = tile_order(counts, rows=tiles.mirror)
        row, kinds = row[order], None if kind is None else kind[row[order]]
        part = points.subset(row)
        yield from _neighbors(part, wanted=counts[order], number=number[row], kind=kinds, tiles=tiles)


def _neighbors(
    points: Points, *, wanted: Tensor, number: Tensor, kind: Tensor | None, tiles: Tiles
) -> Iterator[Neighbors]:
    """Iterate over the neighbours of the rows with a `wanted` above 0, which has the order of `tile_order`."""
    for short in _all_shortlists(points, wanted=wanted, tiles=tiles):
        if len(short.packed):
            position = nearest_of_shortlist(points, short, number=number, kind=kind)
        else:
            position = _nearest_of_all(points, short, number=number)
        yield Neighbors(number[short.query], taken(number, position))


def _check(wanted: Tensor, *, items: int) -> None:
    low, most = (int(limit) for limit in wanted.aminmax())
    if low < 0 or not 1 <= most < items:
        value = low if low < 0 else most
        says = f"{value} is out of range: must be between 1 and the number of other rows, {items - 1}."
        raise InputError.one(SOURCE, "k-range", says, where="k")


def _all_shortlists(points: Points, *, wanted: Tensor, tiles: Tiles) -> Iterator[Shortlist]:
    query = wanted.nonzero().flatten()
    if tiles.mirror:
        query = yield from Mirror(points, wanted=wanted, rows=tiles.mirror).shortlists()
    yield from shortlists(points, query=query, wanted=wanted[query], tiles=tiles)


def _nearest_of_all(points: Points, short: Shortlist, *, number: Tensor) -> Tensor:
    """Return the (q, wanted) nearest positions of queries with many ties, from the exact keys with all items."""
    position, parts = number.argsort(), torch.split(short.query, points.rows_with_all)
    return torch.cat([_nearest_of_few(points, part, position=position, wanted=short.wanted) for part in parts])


def _nearest_of_few(points: Points, query: Tensor, *, position: Tensor, wanted: int) -> Tensor:
    """Do the same for a few queries; `position` are the positions in the order of the numbers."""
    keys = points.keys_to_all(query).scatter_(1, query.unsqueeze(1), torch.inf).index_select(1, position)
    last = kth_lowest(keys, wanted).unsqueeze(1)
    nearer, tied = keys < last, keys == last
    kept = nearer | (tied & (tied.cumsum(1) <= wanted - nearer.sum(1, keepdim=True)))
    item = places(kept.flatten()).view(len(query), wanted) % len(position)
    order = keys.gather(1, item).argsort(dim=1, stable=True)
    return taken(position, item.gather(1, order))
