"""Shortlists with half the multiplications: the product of i and j is used for both.

The first blocks of rows are a random sample of the items. Each row gets a limit: a value of low rank among its products
with the sample. All products up to the limit are collected. The limit is proven afterwards: if the k-th lowest
collected product plus the error band does not exceed it, no candidate is missing. The few rows with a failed limit are
returned to the caller. The distribution of the rank in the population of the sample's r-th lowest value does not depend
on the data, and so neither does the cost. No limit is set if the sample has too many ties, or if the collected products
would take too much memory.

This is used on the CPU. NumPy searches the tiles; the multiplications use torch's threads.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.close_runs import first_of_rows, lasts
from realitycheck.metrics.neighbors.packed import item_bits, pack
from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import in_order
from realitycheck.metrics.neighbors.shortlist import Shortlist, full_float32

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]
Collected = dict[int, list[tuple[Integers, Floats]]]

_SHARE = 8
"""The sample has about one of this many items, or up to one block more."""

_MOST = 40_000_000
"""Limit on the collected products; at most about a third of them, 12 bytes each, are in memory at a time."""


def tile_order(wanted: Tensor, *, rows: int) -> Tensor:
    """Return the (N,) order of the items: a random sample and the others, each in decreasing order of `wanted`.

    Args:
        wanted: (N,) numbers of neighbours.
        rows: of a block; 0 for no sample.
    """
    order = wanted.argsort(descending=True, stable=True)
    if not rows:
        return order
    drawn = torch.zeros(len(wanted), dtype=torch.bool)
    shuffled = torch.randperm(len(wanted), generator=torch.Generator().manual_seed(0))
    drawn[shuffled[: _sampled(len(wanted), rows=_power(rows))]] = True
    drawn = drawn[order]
    return torch.cat([order[drawn], order[~drawn]])


def _power(rows: int) -> int:
    """Return the lowest power of two that is not below `rows`."""
    return 1 << (rows - 1).bit_length()


def _sampled(items: int, *, rows: int) -> int:
    """Return the size of the sample: whole blocks, of about one of `_SHARE` items."""
    return min(items, rows * math.ceil(items / (_SHARE * rows)))


class Mirror:
    """Products of queries with all items, each computed once, but for those within the sample.

    Args:
        points: N rows on the CPU, in the order of `tile_order`.
        wanted: (N,) numbers of neighbours in that order; 0 for a row that is not a query.
        rows: rows and columns of one tile.
    """

    def __init__(self, points: Points, *, wanted: Tensor, rows: int) -> None:
        self.points, self.items, self.rows = points, len(points), _power(rows)
        self.wanted: Integers = wanted.numpy()
        self.queries = int((wanted > 0).sum())
        self.starts = range(0, self.items, self.rows)
        self.sample = range(0, _sampled(self.items, rows=self.rows), self.rows)
        self.limit = np.full(self.items, -np.inf, dtype=np.float32)
        self.sheets = [torch.empty(self.rows, self.rows) for _ in self.sample]
        self.mask = np.empty((self.rows, self.rows), dtype=np.bool_)
        self.collected: Collected = defaultdict(list)
        self.mirrored: Collected = defaultdict(list)

    def shortlists(self) -> Generator[Shortlist, None, Tensor]:
        """Iterate over the shortlists of rows with a proven limit; return the positions of the other queries."""
        failed = []
        for low in self._searched():
            short, missed = self._proven(low)
            failed.append(missed)
            if len(short.query):
                yield short
        return torch.cat(failed)

    def _searched(self) -> Iterator[int]:
        """Iterate over the blocks with queries as their candidates are complete."""
        with full_float32():
            for low in self.starts:
                self._compare_with_sample(low)
        yield from (low for low in self.sample if self.wanted[low])
        for low in self.starts[len(self.sample) :]:
            with full_float32():
                for other in range(low, self.items, self.rows):
                    self._compare(low, other)
            if self.wanted[low]:
                yield low

    def _block(self, low: int) -> slice:
        return slice(low, min(low + self.rows, self.items))

    def _height(self, low: int) -> int:
        return min(self.rows, self.items - low)

    def _compare_with_sample(self, low: int) -> None:
        """Set the limits of a block, and collect the candidates of both from its products with the sample."""
        beyond = low not in self.sample
        if not self.wanted[low] and not (beyond and self.limit[: self.sample.stop].max() > -np.inf):
            return
        for other, sheet in zip(self.sample, self.sheets, strict=True):
            self._multiply(sheet, low, other)
            if beyond:
                self._collect_mirrored(sheet, low, other)
        if self.wanted[low]:
            self.limit[self._block(low)] = self._limits(low)
            for other, sheet in zip(self.sample, self.sheets, strict=True):
                self._collect(sheet, low, other)

    def _compare(self, low: int, other: int) -> None:
        """Collect the candidates of two blocks from their tile."""
        if max(self.limit[self._block(low)].max(), self.limit[self._block(other)].max()) == -np.inf:
            return
        sheet = self.sheets[0]
        self._multiply(sheet, low, other)
        self._collect(sheet, low, other)
        if low != other:
            self._collect_mirrored(sheet, low, other)

    def _multiply(self, sheet: Tensor, low: int, other: int) -> None:
        tile = sheet[: self._height(low), : self._height(other)]
        torch.mm(self.points.left[self._block(low)], self.points.right[self._block(other)].T, out=tile)
        if low == other:
            tile.fill_diagonal_(torch.inf)

    def _limits(self, low: int) -> Floats:
        """Return the limits of a block's rows, from its products with the sample."""
        block, wanted = self._block(low), int(self.wanted[low])
        share = self.items / self.sample.stop
        mean = wanted / share
        rank = math.ceil(mean + 2.5 * math.sqrt(mean) + 1.5)
        crowd = 16 + 3 * rank
        limit = np.full(block.stop - low, -np.inf, dtype=np.float32)
        if crowd <= self.sample.stop and rank * share * self.queries <= _MOST:
            least = np.sort(self._least(low, groups=1 + 2 * crowd // self.rows), axis=1)
            limit = least[:, rank - 1] + self.points.band[block].numpy()
            limit[(self.wanted[block] == 0) | (least[:, crowd - 1] <= limit)] = -np.inf
        return limit

    def _least(self, low: int, *, groups: int) -> Floats:
        """Return minima over the tiles of each group; few of the lowest products of a row share a place."""
        least: list[Floats] = []
        height = self._height(low)
        for number, (other, sheet) in enumerate(zip(self.sample, self.sheets, strict=True)):
            tile = sheet.numpy()[:height, : self._height(other)]
            if number < groups:
                least.append(tile.copy())
            else:
                part = least[number % groups][:, : tile.shape[1]]
                np.minimum(part, tile, out=part)
        return np.concatenate(least, axis=1)

    def _collect(self, sheet: Tensor, low: int, other: int) -> None:
        """Collect the candidates of the rows of a tile."""
        limit = self.limit[self._block(low), None]
        self.collected[low].append(self._below(sheet, limit, height=len(limit), width=self._height(other), low=other))

    def _collect_mirrored(self, sheet: Tensor, low: int, other: int) -> None:
        """Collect the candidates of the columns of a tile."""
        limit = self.limit[self._block(other)]
        self.mirrored[other].append(self._below(sheet, limit, height=self._height(low), width=len(limit), low=low))

    def _below(self, sheet: Tensor, limit: Floats, *, height: int, width: int, low: int) -> tuple[Integers, Floats]:
        """Return the places and the values of a tile's products of at most `limit`, which broadcasts.

        A place is the row times `rows` plus the column of the tile; `low` times `rows` is added to it.
        """
        table, mask = sheet.numpy(), self.mask[:height]
        if width < self.rows:
            mask[:] = False
        np.less_equal(table[:height, :width], limit, out=mask[:, :width])
        place = mask.ravel().nonzero()[0]
        value = table.ravel().take(place)
        place += low * self.rows
        return place, value

    def _proven(self, low: int) -> tuple[Shortlist, Tensor]:
        """Return the shortlist of the rows of a block with a proven limit, and the positions of its other queries."""
        block, wanted, bits = self._block(low), int(self.wanted[low]), item_bits(self.items)
        band, limit = self.points.band[block], torch.from_numpy(self.limit[block])
        packed = self._packed(low)
        ends = first_of_rows(torch.arange(len(band) + 1), packed, bits=bits)
        missed = torch.from_numpy(self.wanted[block] > 0)
        row = (missed & (ends.diff() >= wanted)).nonzero().flatten()
        row = row[lasts(packed, ends[row], band[row], wanted=wanted, bits=bits) <= limit[row]]
        missed[row] = False
        return Shortlist(low + row, wanted, row, len(band), packed), low + missed.nonzero().flatten()

    def _packed(self, low: int) -> Tensor:
        """Return the sorted candidates of the rows of a block."""
        last, bits = self.rows - 1, item_bits(self.items)
        shift = last.bit_length()
        place, value = _joined(self.collected.pop(low, []))
        item = (place >> 2 * shift << shift) + (place & last)
        ours = pack((place >> shift) & last, value, item, bits=bits)
        place, value = _joined(self.mirrored.pop(low, []))
        return in_order(torch.cat([ours, pack(place & last, value, place >> shift, bits=bits)]))


def _joined(parts: list[tuple[Integers, Floats]]) -> tuple[Tensor, Tensor]:
    nothing = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    place, value = (torch.from_numpy(np.concatenate(column)) for column in zip(nothing, *parts, strict=True))
    return place, value
