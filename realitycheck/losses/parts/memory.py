"""The latest points of earlier batches: first in, first out, in tensors of fixed shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.parts.buffers import held


class Memory(nn.Module):
    """A ring of M points with their labels, all of it buffers.

    Args:
        size: M, from 1.
        dims: D.
    """

    points: Tensor
    labels: Tensor
    written: Tensor

    def __init__(self, *, size: int, dims: int) -> None:
        super().__init__()
        self.register_buffer("points", torch.zeros(size, dims))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("written", torch.tensor(0))

    def filled(self) -> Tensor:
        """(M,) bool, the places that have been written."""
        return torch.arange(len(self.labels), device=self.labels.device) < self.written

    @torch.no_grad()
    def write(self, points: Tensor, labels: Tensor, *, count: Tensor | int = 1) -> Tensor:
        """Put points (B, D) and labels (B,) in place of the oldest; of more than M, the last M.

        A loss writes before it reads: what was read before may be wrong in the backward of a compiled loss (`held`).

        Args:
            points: (B, D).
            labels: (B,).
            count: scalar, 1; 0 as long as the memory has not begun: what is written then is never held.

        Returns:
            (B, M) bool, the place of each item.
        """
        size, batch = len(self.labels), len(labels)
        order = torch.arange(batch, device=labels.device)
        before = held(self.written)
        places = (before + order) % size
        kept = places[-size:]  # two items never go to one place
        self.points.index_copy_(0, kept, points[-size:].to(self.points.dtype))
        self.labels.index_copy_(0, kept, labels[-size:])
        self.written.copy_(before + batch * count)
        own = places[:, None] == torch.arange(size, device=labels.device)
        return own & (order >= batch - size)[:, None]
