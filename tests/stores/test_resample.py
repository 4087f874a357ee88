"""Resizing by integers has the bytes of torch's kernel for a CPU, for every length and many boxes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from realitycheck.stores.crop import cut
from realitycheck.stores.resample import TABLES, _table, crops, weights


@pytest.mark.parametrize("size", [1, 7, 28, 112, 224, 227])
def test_every_length_is_resized_as_by_torch(size):
    draw = torch.Generator().manual_seed(size)
    for length in (*range(1, 40), *range(40, 700, 23), size - 1 or 1, size, size + 1):
        line = torch.randint(0, 256, (1, 1, length, 1), dtype=torch.uint8, generator=draw)
        expected = functional.interpolate(line, (size, 1), mode="bilinear", antialias=True).flatten()
        first, values, bits = weights(length, size)
        picked = line.flatten().long()[
            (torch.from_numpy(first)[:, None] + torch.arange(values.shape[1])).clamp_max(length - 1)
        ]
        total = (picked * torch.from_numpy(values)).sum(dim=1) + (1 << (bits - 1))
        assert torch.equal((total >> bits).clamp(0, 255).to(torch.uint8), expected), length


def test_half_of_two_pixels_is_their_mean():
    """By hand: 2 pixels to 1 have the weights 1/2 and 1/2, and 100 and 51 give 75.5, rounded up."""
    pixels = torch.tensor([100, 51], dtype=torch.uint8)
    steps, boxes = torch.tensor([[2, 1, 2]]), torch.tensor([[0, 0, 1, 2]])
    made = crops(pixels, starts=torch.tensor([0]), steps=steps, boxes=boxes, size=1, channels=1)
    assert made.flatten().tolist() == [76]


@pytest.mark.parametrize("layout", ["planes", "interleaved"])
def test_boxes_of_pictures_of_many_shapes_are_cut_as_by_torch(layout):
    draw = torch.Generator().manual_seed(1)
    sizes = [(30, 41), (57, 33), (9, 80), (64, 64), (120, 50), (31, 30)]
    pictures = [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=draw) for size in sizes]
    planes = layout == "planes"
    parts = [picture.flatten() if planes else picture.permute(1, 2, 0).flatten() for picture in pictures]
    starts = torch.tensor([0, *(len(part) for part in parts)]).cumsum(0)[:-1]
    steps = torch.tensor([[w, 1, h * w] if planes else [3 * w, 3, 1] for h, w in sizes])
    for _ in range(20):
        boxes = []
        for high, wide in sizes:
            h, w = (int(torch.randint(1, side + 1, (), generator=draw)) for side in (high, wide))
            top, left = (
                int(torch.randint(high - h + 1, (), generator=draw)),
                int(torch.randint(wide - w + 1, (), generator=draw)),
            )
            boxes.append([top, left, h, w])
        for size in (7, 28, 61):
            boxes = [[*box[:2], 7, 7] if size == 7 and min(box[2:]) >= 7 else box for box in boxes]
            expected = torch.stack([cut(picture, box, size) for picture, box in zip(pictures, boxes, strict=True)])
            made = crops(torch.cat(parts), starts=starts, steps=steps, boxes=torch.tensor(boxes), size=size, channels=3)
            assert torch.equal(made, expected)


def test_tables_of_boxes_of_large_images_are_kept_in_little_memory():
    """Lengths of 256 to 1,024 pixels at 227, with the taps of the longest box of a batch: 7, 9 or 11."""
    kept = [
        _table(length, 227, taps) for length in range(100, 1025) for taps in (7, 9, 11) if length < 113 * (taps - 1)
    ]
    assert len(kept) < TABLES
    held = sum(tensor.numel() * tensor.element_size() for places, values, _ in kept for tensor in (places, values))
    assert held / len(kept) * TABLES < 110e6


def test_boxes_of_the_size_are_copied_and_many_are_cut_in_parts():
    """Two hundred boxes of 5 pixels of one picture, by slices."""
    draw = torch.Generator().manual_seed(2)
    picture = torch.randint(0, 256, (2, 9, 11), dtype=torch.uint8, generator=draw)
    corners = torch.stack([torch.randint(5, (200,), generator=draw), torch.randint(7, (200,), generator=draw)], dim=1)
    boxes = torch.cat([corners, torch.full((200, 2), 5)], dim=1)
    steps = torch.tensor([[11, 1, 99]]).repeat(200, 1)
    made = crops(
        picture.flatten(), starts=torch.zeros(200, dtype=torch.int64), steps=steps, boxes=boxes, size=5, channels=2
    )
    expected = [picture[:, top : top + 5, left : left + 5] for top, left in corners.tolist()]
    assert torch.equal(made, torch.stack(expected))
