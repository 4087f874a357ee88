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
from realitycheck.metrics.neighbors.packed import item_bits, pack, row_of
from realitycheck.metrics.neighbors.points import Points
from realitycheck.metrics.neighbors.selection import in_order
from realitycheck.metrics.neighbors.shortlist import Shortlist, full_float32

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

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
    size = min(rows * _sample_blocks(len(wanted), rows=rows), len(wanted))
    drawn = torch.zeros(len(wanted), dtype=torch.bool)
    drawn[torch.randperm(len(wanted), generator=torch.Generator().manual_seed(0))[:size]] = True
    return torch.cat([order[drawn[order]], order[~drawn[order]]])


def _sample_blocks(items: int, *, rows: int) -> int:
    return math.ceil(items / (_SHARE * rows))


class Mirror:
    """Products of queries with all items, each computed once, but for those within the sample.

    Args:
        points: N rows on the CPU, in the order of `tile_order`.
        wanted: (N,) numbers of neighbours in that order; 0 for a row that is not a query.
        rows: rows and columns of one tile.
    """

    def __init__(self, points: Points, *, wanted: Tensor, rows: int) -> None:
        self.points, self.rows = points, rows
        self.wanted: Integers = wanted.numpy()
        self.starts = range(0, len(points), rows)
        self.sample = range(0, min(len(points), rows * _sample_blocks(len(points), rows=rows)), rows)
        self.queries = int((wanted > 0).sum())
        self.limit = np.full(len(points), -np.inf, dtype=np.float32)
        self.shift = (rows - 1).bit_length()
        self.sheets = [torch.empty(rows, 1 << self.shift) for _ in self.sample]
        self.mask = np.empty((rows, 1 << self.shift), dtype=np.bool_)
        self.collected: dict[int, list[tuple[Integers, Floats]]] = defaultdict(list)
        self.mirrored: dict[int, list[tuple[Integers, Floats]]] = defaultdict(list)

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
                for other in range(low, len(self.points), self.rows):
                    self._compare(low, other)
            if self.wanted[low]:
                yield low

    def _block(self, low: int) -> slice:
        return slice(low, min(low + self.rows, len(self.points)))

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
        ours, theirs = self._block(low), self._block(other)
        tile = sheet[: ours.stop - low, : theirs.stop - other]
        torch.mm(self.points.left[ours], self.points.right[theirs].T, out=tile)
        if low == other:
            tile.fill_diagonal_(torch.inf)

    def _limits(self, low: int) -> Floats:
        """Return the limits of a block's rows, from its products with the sample."""
        block, wanted = self._block(low), int(self.wanted[low])
        share = len(self.points) / self.sample.stop
        mean = wanted / share
        rank = math.ceil(mean + 2.5 * math.sqrt(mean) + 1.5)
        crowd = 16 + 3 * rank
        limit = np.full(block.stop - low, -np.inf, dtype=np.float32)
        if crowd <= self.sample.stop and rank * share * self.queries <= _MOST:
            least = np.sort(self._least(low, groups=1 + 2 * crowd // self.rows), axis=1)
            limit = least[:, rank - 1] + self.points.band[block].numpy()
            limit[(self.wanted[block] == 0) | (least[:, min(crowd, least.shape[1]) - 1] <= limit)] = -np.inf
        return limit

    def _least(self, low: int, *, groups: int) -> Floats:
        """Return minima over the tiles of each group; few of the lowest products of a row share a place."""
        least: list[Floats] = []
        height = self._block(low).stop - low
        for number, (other, sheet) in enumerate(zip(self.sample, self.sheets, strict=True)):
            tile = sheet.numpy()[:height, : self._block(other).stop - other]
            if number < groups:
                least.append(tile.copy())
            else:
                part = least[number % groups][:, : tile.shape[1]]
                np.minimum(part, tile, out=part)
        return np.concatenate(least, axis=1)

    def _collect(self, sheet: Tensor, low: int, other: int) -> None:
        """Collect the candidates of the rows of a tile."""
        limit = self.limit[self._block(low), None]
        shape = (len(limit), self._block(other).stop - other)
        self.collected[low].append(self._below(sheet, limit, shape=shape, block=other // self.rows))

    def _collect_mirrored(self, sheet: Tensor, low: int, other: int) -> None:
        """Collect the candidates of the columns of a tile."""
        limit = self.limit[self._block(other)]
        shape = (self._block(low).stop - low, len(limit))
        self.mirrored[other].append(self._below(sheet, limit, shape=shape, block=low // self.rows))

    def _below(
        self, sheet: Tensor, limit: Floats, *, shape: tuple[int, int], block: int
    ) -> tuple[Integers, Floats]:
        """Return the places of a tile's products of at most `limit`, numbered through all tiles, and the products."""
        height, width = shape
        if width < self.mask.shape[1]:
            self.mask[:height] = False
        np.less_equal(sheet.numpy()[:height, :width], limit, out=self.mask[:height, :width])
        place = np.flatnonzero(self.mask[:height])
        value = sheet.numpy().ravel().take(place)
        place += block << 2 * self.shift
        return place, value

    def _proven(self, low: int) -> tuple[Shortlist, Tensor]:
        """Return the shortlist of the rows of a block with a proven limit, and the positions of its other queries."""
        block, wanted, bits = self._block(low), int(self.wanted[low]), item_bits(len(self.points))
        band, limit = self.points.band[block], torch.from_numpy(self.limit[block])
        packed = self._packed(low)
        ends = first_of_rows(torch.arange(len(band) + 1), packed, bits=bits)
        missed = torch.from_numpy(self.wanted[block] > 0)
        row = (missed & (ends.diff() >= wanted)).nonzero().flatten()
        row = row[lasts(packed, ends[row], band[row], wanted=wanted, bits=bits) <= limit[row]]
        missed[row] = False
        return Shortlist(low + row, wanted, row, packed), low + missed.nonzero().flatten()

    def _packed(self, low: int) -> Tensor:
        """Return the sorted candidates of the rows of a block."""
        bits, low_bits = item_bits(len(self.points)), (1 << self.shift) - 1
        parts = []
        for found, mirrored in ((self.collected, False), (self.mirrored, True)):
            pairs = found.pop(low, [])
            place, value = (torch.from_numpy(np.concatenate(column)) for column in zip(*pairs, strict=True)) if pairs else (torch.empty(0, dtype=torch.int64), torch.empty(0))
            first, second = (place >> self.shift) & low_bits, place & low_bits
            row, column = (second, first) if mirrored else (first, second)
            item = (place >> 2 * self.shift) * self.rows + column
            parts.append(pack(row, value, item, bits=bits))
        return in_order(torch.cat(parts))
