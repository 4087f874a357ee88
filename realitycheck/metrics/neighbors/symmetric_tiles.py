"""Shortlists with half the multiplications: the product of i and j is used for both.

Each row gets a limit: a value of low rank among its products with a random sample of the items. All products up to
the limit are collected. The limit is proven afterwards: if the k-th lowest collected product plus the error band does
not exceed it, no candidate is missing. The few rows with a failed limit are returned to the caller. The distribution
of the rank in the population of the sample's r-th lowest value does not depend on the data, and so neither does the
cost. No limit is set if the sample has too many ties, or if the collected products would take too much memory.

This is used on the CPU. NumPy does everything but the multiplications, which use torch's threads.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import kth_lowest
from realitycheck.metrics.neighbors.shortlist import Shortlist, full_float32

Integers = NDArray[np.int64]

_SHARE = 12
"""The sample has one of this many items."""

_MOST = 40_000_000
"""Limit on the collected products; at most a quarter of them, 16 bytes each, are in memory at a time."""


class Mirror:
    """Products of queries with all items, each computed once.

    Args:
        points: N rows on the CPU: the queries first, in decreasing order of `wanted`.
        wanted: (Q,) numbers of neighbours.
        rows: rows and columns of one tile.
    """

    def __init__(self, points: Points, *, wanted: Tensor, rows: int) -> None:
        self.points, self.wanted, self.rows = points, wanted.tolist(), rows
        self.band = points.band.numpy()
        self.limit = np.full(len(points), -np.inf, dtype=np.float32)
        self.tile = torch.empty(rows * rows)
        self.collected: dict[int, list[tuple[Integers, Integers]]] = defaultdict(list)

    def shortlists(self) -> Generator[Shortlist, None, Tensor]:
        """Iterate over the shortlists of rows with a proven limit; return the positions of the other queries."""
        self._set_limits()
        failed = []
        for low in range(0, len(self.wanted), self.rows):
            with full_float32():
                for other in range(low, len(self.points), self.rows):
                    self._multiply(low, other)
            short, proven = self._proven(self._block(low))
            failed.append(torch.from_numpy(low + np.flatnonzero(~proven)))
            if len(short.query):
                yield short
        return torch.cat(failed)

    def _block(self, low: int) -> slice:
        return slice(low, min(low + self.rows, len(self.wanted)))

    def _set_limits(self) -> None:
        shuffled = torch.randperm(len(self.points), generator=torch.Generator().manual_seed(0))
        sample = self.points.right[shuffled[: -(-len(shuffled) // _SHARE)]]
        for low in range(0, len(self.wanted), self.rows):
            mean = self.wanted[low] / _SHARE
            rank = math.ceil(mean + 2.5 * math.sqrt(mean) + 1.5)
            crowd = 16 + 3 * rank
            if crowd <= len(sample) and rank * _SHARE * len(self.wanted) <= _MOST:
                block = self._block(low)
                with full_float32():
                    products = torch.mm(self.points.left[block], sample.T)
                limit = kth_lowest(products, rank) + self.points.band[block]
                crowded = kth_lowest(products, crowd) <= limit
                self.limit[block] = limit.masked_fill(crowded, -torch.inf).numpy()

    def _multiply(self, low: int, other: int) -> None:
        """Collect the candidates of two blocks from their tile."""
        ours, theirs = self._block(low), slice(other, min(other + self.rows, len(self.points)))
        limit, mirrored = self.limit[ours], self.limit[theirs]
        if max(limit.max(), mirrored.max()) == -np.inf:
            return
        tile = self.tile[: len(limit) * len(mirrored)].view(len(limit), len(mirrored))
        torch.mm(self.points.left[ours], self.points.right[theirs].T, out=tile)
        if low == other:
            tile.fill_diagonal_(torch.inf)
        else:
            row, column, value = _low(tile.numpy(), mirrored)
            self.collected[other].append((_packed(column, value), row + low))
        row, column, value = _low(tile.numpy(), limit[:, None])
        self.collected[low].append((_packed(row, value), column + other))

    def _proven(self, block: slice) -> tuple[Shortlist, NDArray[np.bool_]]:
        """Return the shortlist of the rows of a block with a proven limit, and a mask of these rows."""
        wanted, band = self.wanted[block.start], self.band[block]
        row, item, value = _in_order(self.collected.pop(block.start, []))
        size = np.bincount(row, minlength=len(band))
        proven, last = size >= wanted, np.full(len(band), -np.inf, dtype=np.float32)
        last[proven] = value[(np.cumsum(size) - size)[proven] + wanted - 1] + band[proven]
        proven &= last <= self.limit[block]
        last[~proven] = -np.inf
        keep = np.flatnonzero(value <= last[row])
        row = (np.cumsum(proven) - 1)[row[keep]]
        query = block.start + np.flatnonzero(proven)
        columns = (torch.from_numpy(column) for column in (row, item[keep], value[keep]))
        return Shortlist(torch.from_numpy(query), wanted, *columns), proven


def _low(tile: NDArray[np.float32], limit: NDArray[np.float32]) -> tuple[Integers, Integers, NDArray[np.float32]]:
    """Return rows, columns and values of a tile's entries that are at most `limit`, which broadcasts."""
    flat = np.flatnonzero(tile <= limit)
    row = flat // tile.shape[1]
    return row, flat - row * tile.shape[1], tile.ravel()[flat]


def _in_order(parts: list[tuple[Integers, Integers]]) -> tuple[Integers, Integers, NDArray[np.float32]]:
    """Return rows, items and values of the collected products, sorted by row and then by value."""
    nothing = np.empty(0, dtype=np.int64)
    keys = np.concatenate([nothing, *(part[0] for part in parts)])
    order = torch.from_numpy(keys).argsort().numpy()
    keys, item = keys[order], np.concatenate([nothing, *(part[1] for part in parts)])[order]
    row = (keys + 2**31) >> 32
    return row, item, _ascending((keys - (row << 32)).astype(np.int32)).view(np.float32)


def _packed(row: Integers, value: NDArray[np.float32]) -> Integers:
    """Return integers that sort by row and then by value."""
    return (row << 32) + _ascending(value.view(np.int32))


def _ascending(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """Invert the bits of negative floats, which decrease as the floats increase. The function is its own inverse."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)
