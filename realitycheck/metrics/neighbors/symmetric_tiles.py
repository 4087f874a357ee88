"""Half the multiplications: the product of i and j serves both, if each has a limit to hold it against.

The limit of a row is a guess: a low rank among its products with a random sample of the items. It is proven
afterwards, or not: all products at or below it were collected, so if the k-th lowest of them plus the band of
error is no higher than the limit, nothing is missing. The few rows where the guess fails are handed back.
Which rank the r-th lowest number of a random sample has in the whole does not depend on the data, and so
neither does the cost. Where ties crowd the sample, or memory would not do, no guess is made.

All this is for the CPU, where NumPy does everything but the multiplications: they keep to torch's threads.
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
"""One item in so many is in the sample."""

_MOST = 40_000_000
"""How many products may be collected; at most a quarter of them, 16 bytes each, wait at one time."""


class Mirror:
    """Products of queries with all items, each multiplied once.

    Args:
        points: N rows on the CPU: the queries first, those who want most neighbours before others.
        wanted: (Q,) how many neighbours each query wants, in that order.
        rows: rows and columns of one tile.
    """

    def __init__(self, points: Points, *, wanted: Tensor, rows: int) -> None:
        self.points, self.wanted, self.rows = points, wanted.tolist(), rows
        self.band = points.band.numpy()
        self.limit = np.full(len(points), -np.inf, dtype=np.float32)
        self.tile = torch.empty(rows * rows)
        self.waiting: dict[int, list[tuple[Integers, Integers]]] = defaultdict(list)

    def shortlists(self) -> Generator[Shortlist, None, Tensor]:
        """The shortlists of all rows whose limit was proven; returns the places of the other queries."""
        self._guess()
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

    def _guess(self) -> None:
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
        """Collect from the tile of two blocks what either of them may need."""
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
            self.waiting[other].append((_packed(column, value), row + low))
        row, column, value = _low(tile.numpy(), limit[:, None])
        self.waiting[low].append((_packed(row, value), column + other))

    def _proven(self, block: slice) -> tuple[Shortlist, NDArray[np.bool_]]:
        """The shortlists of the rows of a block whose limit holds, and which rows those are."""
        wanted, band = self.wanted[block.start], self.band[block]
        row, place, value = _in_order(self.waiting.pop(block.start, []))
        size = np.bincount(row, minlength=len(band))
        proven, last = size >= wanted, np.full(len(band), -np.inf, dtype=np.float32)
        last[proven] = value[(np.cumsum(size) - size)[proven] + wanted - 1] + band[proven]
        proven &= last <= self.limit[block]
        last[~proven] = -np.inf
        keep = np.flatnonzero(value <= last[row])
        row = (np.cumsum(proven) - 1)[row[keep]]
        query = block.start + np.flatnonzero(proven)
        found = (torch.from_numpy(each) for each in (row, place[keep], value[keep]))
        return Shortlist(torch.from_numpy(query), wanted, *found), proven


def _low(tile: NDArray[np.float32], limit: NDArray[np.float32]) -> tuple[Integers, Integers, NDArray[np.float32]]:
    """Rows, columns and values of the numbers of a tile that are at most `limit`, which broadcasts."""
    flat = np.flatnonzero(tile <= limit)
    row = flat // tile.shape[1]
    return row, flat - row * tile.shape[1], tile.ravel()[flat]


def _in_order(parts: list[tuple[Integers, Integers]]) -> tuple[Integers, Integers, NDArray[np.float32]]:
    """Rows, places and values of what waited, by row and then by value."""
    nothing = np.empty(0, dtype=np.int64)
    keys = np.concatenate([nothing, *(part[0] for part in parts)])
    order = torch.from_numpy(keys).argsort().numpy()
    keys, place = keys[order], np.concatenate([nothing, *(part[1] for part in parts)])[order]
    row = (keys + 2**31) >> 32
    return row, place, _rising((keys - (row << 32)).astype(np.int32)).view(np.float32)


def _packed(row: Integers, value: NDArray[np.float32]) -> Integers:
    """Integers that sort by row, and then by value."""
    return (row << 32) + _rising(value.view(np.int32))


def _rising(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bits of negative floats fall as the floats rise: turn them over, or back."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)
