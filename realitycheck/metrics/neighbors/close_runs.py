"""The order of a shortlist: by float32 products, and by exact keys where these are too close together.

A run is a maximal chain of products of one query, each within the band of the next. Two items of different runs are in
true order. The items of a run are sorted by their keys. If kinds are given, only runs with items both of the query's
kind and of others are sorted; such a run has two adjacent items of which one is of the query's kind.
"""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.packed import item_bits, item_of, pack, row_of, value_of
from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import order_by, places, taken
from realitycheck.metrics.neighbors.shortlist import Shortlist


def nearest_of_shortlist(points: Points, short: Shortlist, *, number: Tensor, kind: Tensor | None) -> Tensor:
    """Return the (q, wanted) positions of the nearest items of a shortlist's queries.

    Args:
        points: N rows.
        short: with at least one item.
        number: (N,) numbers of the points, by which ties are ordered.
        kind: None, or (N,) classes; then items of one kind can be interchanged, as in `search.nearest_blocks`.
    """
    bits = item_bits(len(points))
    start = first_of_rows(short.row, short.packed, bits=bits)
    packed = _sorted_where_close(points, short, start=start, number=number, kind=kind)
    place = start.unsqueeze(1) + torch.arange(short.wanted, device=start.device)
    return item_of(taken(packed, place), bits=bits)


def first_of_rows(row: Tensor, packed: Tensor, *, bits: int) -> Tensor:
    """Return the (q,) positions of the first products of these rows."""
    return torch.searchsorted(packed, row << 32 + bits)


def lasts(packed: Tensor, start: Tensor, band: Tensor, *, wanted: int, bits: int) -> Tensor:
    """Return the (q,) values up to which items can be among the nearest; `start` are positions of first products."""
    return value_of(packed[start + (wanted - 1)], bits=bits) + band


def _sorted_where_close(
    points: Points, short: Shortlist, *, start: Tensor, number: Tensor, kind: Tensor | None
) -> Tensor:
    """Return the packed products with the items of runs in the order of their keys."""
    bits = item_bits(len(points))
    query, end, band = _of_rows(points, short, start=start, bits=bits)
    upper, row = _close(short.packed, end=end, band=band, bits=bits)
    if kind is not None:
        upper, row = _mixed(short.packed, upper, row, query=query, kind=kind, bits=bits)
    if not len(upper):
        return short.packed
    chain = _chains(upper)
    first = torch.cat([upper[:1], upper[1:][chain.diff() > 0]]) - 1
    which = torch.cat([first, upper]).sort().values
    run = torch.searchsorted(first, which, right=True)
    close = taken(short.packed, which)
    item = item_of(close, bits=bits)
    keys = points.keys(taken(query, row_of(close, bits=bits)), item)
    return short.packed.index_copy_(0, which, item[order_by(run, keys, number[item])])


def _of_rows(points: Points, short: Shortlist, *, start: Tensor, bits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for each row number, its query, the end of the products that matter, and its band; 0 for other rows."""
    band = points.band[short.query]
    last = lasts(short.packed, start, band, wanted=short.wanted, bits=bits)
    end = torch.searchsorted(short.packed, pack(short.row, last, (1 << bits) - 1, bits=bits), right=True)
    columns = (short.query, end, band)
    query, end, band = (column.new_zeros(short.rows).index_copy_(0, short.row, column) for column in columns)
    return query, end, band


def _close(packed: Tensor, *, end: Tensor, band: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return the positions of products that are within the band of the one before them, and their rows."""
    value = value_of(packed, bits=bits)
    gap = value[1:] - value[:-1]
    lower = places(gap <= band.amax())
    row, upper = row_of(taken(packed, lower), bits=bits), lower + 1
    same_row = row_of(taken(packed, upper), bits=bits) == row
    row = row.clamp_(max=len(band) - 1)
    close = places(same_row & (upper < taken(end, row)) & (taken(gap, lower) <= taken(band, row)))
    return taken(upper, close), taken(row, close)


def _mixed(
    packed: Tensor, upper: Tensor, row: Tensor, *, query: Tensor, kind: Tensor, bits: int
) -> tuple[Tensor, Tensor]:
    """Keep the products of runs that have items both of the query's kind and of others."""
    own = taken(kind, taken(query, row))
    before, after = (taken(kind, item_of(taken(packed, place), bits=bits)) == own for place in (upper - 1, upper))
    chain = _chains(upper)
    mixed = torch.zeros(len(chain), dtype=torch.bool, device=upper.device)  # of at most as many chains
    mixed[chain[before != after]] = True
    keep = places(mixed[chain])
    return taken(upper, keep), taken(row, keep)


def _chains(place: Tensor) -> Tensor:
    """Return the numbers of the chains of consecutive integers among ascending ones."""
    return torch.cat([place.new_zeros(min(1, len(place))), (place.diff() > 1).cumsum(0)])
