"""Bilinear resizing of bytes with antialiasing by integers alone: on every device the bits of torch's kernel for a CPU.

torch resizes uint8 on a CPU in two passes, along rows and then along columns, with weights rounded to 16 bits
(aten/src/ATen/native/cpu/UpSampleKernel.cpp, `_compute_index_ranges_int16_weights`). On a GPU it has no kernel for
bytes. Sums of integers do not depend on their order, so that the same weights give the same bytes.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.stores.transfer import on

LARGEST_WEIGHT = 2**15
MOST_BITS = 22
"""A weight fits into 16 bits with its sign; no weight has more bits after the point than this."""

TABLES = 4096
"""Tables that are kept, by length, size and taps.

Boxes of images with sides from 256 to 1,024 pixels made 2,186 of them in 1,500 batches of 32 at 227 pixels. They take
25 kB each: 55 MB, and 100 MB for all. Where 1,024 were kept, 19 % of the tables of a batch were missing, at 28 µs each.
"""

AT_A_TIME = 64
"""Pictures that are cut at a time: positions take eight bytes for each pixel of the result, 80 MB at 227 pixels."""


@functools.lru_cache(maxsize=TABLES)
def weights(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return how `size` pixels are made of `length` pixels along one axis.

    Returns:
        (size,) first pixel; (size, taps) weights of that pixel and those after it, 0 where none is needed; and the bits
        after the point of the weights.
    """
    scale = length / size
    support = max(scale, 1.0)
    taps = math.ceil(support) * 2 + 1
    centers = scale * (np.arange(size) + 0.5)
    first = np.maximum((centers - support + 0.5).astype(np.int64), 0)
    count = np.minimum((centers + support + 0.5).astype(np.int64), length) - first
    away = (np.arange(taps) + first[:, None] - centers[:, None] + 0.5) * (1.0 / support)
    shares = np.where(np.arange(taps) < count[:, None], np.maximum(1.0 - np.abs(away), 0.0), 0.0)
    total = np.zeros(size)
    for tap in range(taps):  # one after the other, as the kernel adds them
        total += shares[:, tap]
    shares /= total[:, None]
    bits = next(bit for bit in range(MOST_BITS + 1) if bit == MOST_BITS or _too_large(shares.max(), bit + 1))
    return first, (0.5 + shares * (1 << bits)).astype(np.int64), bits


def _too_large(largest: float, bits: int) -> bool:
    return int(0.5 + largest * (1 << bits)) >= LARGEST_WEIGHT


def crops(pixels: Tensor, *, starts: Tensor, steps: Tensor, boxes: Tensor, size: int, channels: int) -> Tensor:
    """Cut a box of each of B pictures and resize it to a square.

    Args:
        pixels: all bytes, flat, on any device.
        starts: (B,) int64 on the CPU: where each picture begins in `pixels`.
        steps: (B, 3) int64 on the CPU: from a row, a column and a channel of a picture to the next, in bytes.
        boxes: (B, 4) int64 on the CPU: top, left, height, width.
        size: side of the squares.
        channels: C.

    Returns:
        (B, C, size, size) uint8 on the device of `pixels`, the bytes of `crop.cut` on a CPU.
    """
    parts = [slice(at, at + AT_A_TIME) for at in range(0, len(boxes), AT_A_TIME)]
    made = [_crops(pixels, starts[at], steps[at], boxes[at], size=size, channels=channels) for at in parts]
    return torch.cat(made)


def _crops(pixels: Tensor, starts: Tensor, steps: Tensor, boxes: Tensor, *, size: int, channels: int) -> Tensor:
    top, left, height, width = boxes.T.tolist()
    rows, row_weights, row_bits = _tables(height, size)
    columns, column_weights, column_bits = _tables(width, size)
    lasts = torch.tensor(height)[:, None] - 1
    tall = max(height)
    lines = torch.minimum(torch.arange(tall)[None], lasts)  # lines below a smaller box repeat its last one
    origin = starts + torch.tensor(top) * steps[:, 0] + torch.tensor(left) * steps[:, 1]
    at_line = origin[:, None] + lines * steps[:, :1]  # (B, tall)
    at_channel = torch.arange(channels)[None, :] * steps[:, 2:]  # (B, C)
    base = at_channel[:, :, None] + at_line[:, None, :]  # (B, C, tall)
    if {*height, *width} == {size}:
        across = torch.arange(size) * steps[:, 1:2]
        return pixels[on(base, pixels.device)[:, :, :, None] + on(across, pixels.device)[:, None, None, :]]
    along = (base, columns * steps[:, 1][:, None, None], column_weights, column_bits)
    wide = _pass_along(pixels, *(on(table, pixels.device) for table in along))
    return _pass_down(wide, *(on(table, pixels.device) for table in (rows, row_weights, row_bits)))


def _pass_along(pixels: Tensor, base: Tensor, columns: Tensor, values: Tensor, bits: Tensor) -> Tensor:
    """Return (B, C, tall, size) uint8: every line of the boxes, resized along itself."""
    total = (1 << (bits - 1))[:, None, None, None]
    for tap in range(columns.shape[2]):
        read = pixels[base[:, :, :, None] + columns[:, None, None, :, tap]]
        total = total + read * values[:, None, None, :, tap]
    return _bytes(total, bits)


def _pass_down(wide: Tensor, rows: Tensor, values: Tensor, bits: Tensor) -> Tensor:
    """Return (B, C, size, size) uint8: the columns of (B, C, tall, size), resized."""
    total = (1 << (bits - 1))[:, None, None, None]
    for tap in range(rows.shape[2]):
        lines = rows[:, None, :, tap, None].expand(-1, wide.shape[1], -1, wide.shape[3])
        total = total + wide.gather(2, lines) * values[:, None, :, tap, None]
    return _bytes(total, bits)


def _bytes(total: Tensor, bits: Tensor) -> Tensor:
    return (total >> bits[:, None, None, None]).clamp(0, 255).to(torch.uint8)


def _tables(lengths: list[int], size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return of B lengths (B, size, taps) pixels, (B, size, taps) int32 weights, and (B,) int32 bits."""
    taps = max(weights(length, size)[1].shape[1] for length in lengths)
    places, values, bits = zip(*(_table(length, size, taps) for length in lengths), strict=True)
    return torch.stack(places), torch.stack(values), torch.tensor(bits, dtype=torch.int32)


@functools.lru_cache(maxsize=TABLES)
def _table(length: int, size: int, taps: int) -> tuple[Tensor, Tensor, int]:
    """Return (size, taps) pixels and int32 weights of one length, and their bits; no pixel is beyond the last one."""
    first, own, bits = weights(length, size)
    values = torch.zeros((size, taps), dtype=torch.int32)
    values[:, : own.shape[1]] = torch.from_numpy(own)
    places = torch.from_numpy(first)[:, None] + torch.arange(taps)
    return places.clamp_max(length - 1), values, bits
