"""The partition of the N×N products and of the float64 keys: it sets time and memory by device, never the result."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from realitycheck.metrics.neighbors.packed import fits

_MIRRORED = 2048
"""Items from which on a product for both of its rows saves more time than the search for a limit takes."""

_SHARE = 8
"""A sheet, the pairs and the numbers each take at most one of this many parts of a GPU's free memory."""

_LARGEST_SHEET = 2**29
"""Products of a sheet on a GPU: 2 GiB, which is 7 blocks of 60,502 items. Some kernels count below 2**31."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Partition of the work.

    Args:
        rows: queries of one block.
        columns: minima of a row of which the k-th lowest is a limit; more if many neighbours are wanted.
        mirror: rows and columns of the square tiles of `Mirror`, on a CPU; 0 disables it.
        pairs: approximate number of pairs that are sorted at a time, about 60 bytes each.
        numbers: float64 numbers of rows that are processed at a time, with a copy.
    """

    rows: int
    columns: int
    mirror: int
    pairs: int
    numbers: int

    @classmethod
    def fitting(cls, items: int, *, device: torch.device) -> Tiles:
        """Choose tiles for this number of items on a device."""
        if device.type == "cuda":
            return cls.on_gpu(items, free=_free_bytes(device))
        return cls.on_cpu(items)

    @classmethod
    def on_cpu(cls, items: int) -> Tiles:
        """Choose tiles for the caches of a core. The sheet is below 64 MB; the numbers take 512 KiB."""
        mirror = 512 if items >= _MIRRORED and fits(rows=512, items=items) else 0
        return cls(rows=min(512, max(16, 2**24 // items)), columns=512, mirror=mirror, pairs=2**20, numbers=2**16)

    @classmethod
    def on_gpu(cls, items: int, *, free: int) -> Tiles:
        """Choose tiles for few large operations, because a launch costs more than a small operation.

        Args:
            items: N, below 2**25.
            free: bytes that the GPU has left.
        """
        share = free // _SHARE
        return cls(
            rows=max(16, min(_LARGEST_SHEET, share // 4) // items),
            columns=1024,
            mirror=0,
            pairs=min(2**23, max(2**20, share // 64)),
            numbers=min(2**25, max(2**16, share // 16)),
        )


def numbers_at_once(device: torch.device) -> int:
    """Return the `numbers` of the tiles of a device."""
    return Tiles.fitting(1, device=device).numbers


def _free_bytes(device: torch.device) -> int:
    """Return the free bytes of a GPU, with those that torch holds for later use."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
