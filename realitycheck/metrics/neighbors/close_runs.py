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
    """Return the (q,) float32 values up to which items can be among the nearest, from the positions of first products."""
    return value_of(packed[start + (wanted - 1)], bits=bits) + band


def _sorted_where_close(
    points: Points, short: Shortlist, *, start: Tensor, number: Tensor, kind: Tensor | None
) -> Tensor:
    bits, rows = item_bits(len(points)), int(short.row[-1]) + 1
    query, end, band = (torch.zeros(rows, dtype=type_, device=start.device) for type_ in (start.dtype,) * 2 + (points.band.dtype,))
    query[short.row], band[short.row] = short.query, points.band[short.query]
    last = lasts(short.packed, start, points.band[short.query], wanted=short.wanted, bits=bits)
    end[short.row] = torch.searchsorted(short.packed, pack(short.row, last, (1 << bits) - 1, bits=bits), right=True)
    upper, row = _close(short.packed, end=end, band=band, bits=bits)
    if kind is not None:
        upper, row = _mixed(short.packed, upper, row, query=query, kind=kind, bits=bits)
    if not len(upper):
        return short.packed
    chain = chains(upper)
    first = torch.cat([upper[:1], upper[1:][chain.diff() > 0]]) - 1
    which = torch.cat([first, upper]).sort().values
    run = torch.searchsorted(first, which, right=True)
    item = item_of(short.packed[which], bits=bits)
    keys = points.keys(query[row_of(short.packed[which], bits=bits)], item)
    packed = short.packed.clone()
    packed[which] = item[order_by(run, keys, number[item])]
    return packed


def _close(packed: Tensor, *, end: Tensor, band: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return the positions of products that are within the band of the one before them, and their rows."""
    value = value_of(packed, bits=bits)
    gap = value[1:] - value[:-1]
    lower = places(gap <= band.amax())
    row, upper = row_of(packed[lower], bits=bits), lower + 1
    same_row = row_of(packed[upper], bits=bits) == row
    row = row.clamp(max=len(band) - 1)
    close = same_row & (upper < end[row]) & (gap[lower] <= band[row])
    return upper[close], row[close]


def _mixed(
    packed: Tensor, upper: Tensor, row: Tensor, *, query: Tensor, kind: Tensor, bits: int
) -> tuple[Tensor, Tensor]:
    """Keep the products of runs that have items both of the query's kind and of others."""
    own = kind[query[row]]
    before, after = (kind[item_of(packed[place], bits=bits)] == own for place in (upper - 1, upper))
    chain = chains(upper)
    mixed = torch.zeros(int(chain[-1]) + 1 if len(chain) else 0, dtype=torch.bool, device=upper.device)
    mixed[chain[before != after]] = True
    keep = mixed[chain]
    return upper[keep], row[keep]


def chains(place: Tensor) -> Tensor:
    """Return the numbers of the chains of consecutive integers among ascending ones."""
    return torch.cat([place.new_zeros(min(1, len(place))), (place.diff() > 1).cumsum(0)])
