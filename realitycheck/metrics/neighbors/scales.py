"""Queries by the scale of their surroundings, so that a few far rows do not spoil the float32 products of all others.

The error of a product grows with the norms of its rows. One row that is a million times farther than the others would
leave them all undecided, and every pair would need its float64 key.

Around any centre, let near rows have a radius of at most r. A near row is within 2r of every near row, and farther
than 2r from every row with a radius above 3r. So if a near query wants fewer neighbours than there are near rows, rows
above 3r cannot be among them, and the query is solved without them, around a centre of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.points import Points

_SCALE = 16.0
"""Ratio of the largest radius to that of near rows."""

_BEYOND = 3.1
"""Radius, in those of near rows, from which on rows are left out; above 3 by more than any rounding."""

_LEAST = 2.0**-400
"""Radius below which nothing is left out, because the squares of float64 keys underflow."""


class Scale(NamedTuple):
    """Queries, and the rows that can be among their neighbours.

    Args:
        row: (n,) numbers of the rows: the queries first, in decreasing order of their wanted number.
        queries: how many of them are queries.
    """

    row: Tensor
    queries: int


def scales(points: Points, *, wanted: Tensor) -> Iterator[Scale]:
    """Iterate over scales that together have every query once.

    Args:
        points: N rows.
        wanted: (N,) numbers of neighbours, in decreasing order; 0 for a row that is not a query.
    """
    rows, pending = torch.arange(len(points), device=wanted.device), wanted > 0
    while points.distance == "euclidean":
        exact = points.exact[rows]
        radius = (exact - exact.mean(0)).norm(dim=1)
        limit = radius.amax() / _SCALE
        near = radius <= limit
        inner = near & pending[rows] & (wanted[rows] < near.sum())
        if limit < _LEAST or not inner.any():
            break
        outer = pending[rows] & ~inner
        if outer.any():
            yield _ordered(rows, outer)
        pending = torch.isin(torch.arange(len(pending), device=rows.device), rows[inner])
        rows = rows[radius <= _BEYOND * limit]
    yield _ordered(rows, pending[rows])


def _ordered(rows: Tensor, query: Tensor) -> Scale:
    return Scale(torch.cat([rows[query], rows[~query]]), int(query.sum()))
