"""A first-in, first-out memory of points of earlier batches, in tensors of fixed shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.parts.buffers import snapshot_for_backward


class Memory(nn.Module):
    """A ring buffer of M points and their labels; all state is in buffers.

    Args:
        size: M, number of points, at least 1.
        dims: D, dimensions of a point.
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
        """Return an (M,) bool mask of the positions that have been written."""
        return torch.arange(len(self.labels), device=self.labels.device) < self.written

    @torch.no_grad()
    def write(self, points: Tensor, labels: Tensor, *, count: Tensor | int = 1) -> Tensor:
        """Replace the oldest points by points (B, D) with labels (B,); of more than M points, the last M are stored.

        A loss must write before it reads: values that were read before can be wrong in the backward of a compiled
        loss (see `snapshot_for_backward`).

        Args:
            points: (B, D).
            labels: (B,).
            count: scalar 1, or 0 before the memory is in use: points of such a call do not count as written.

        Returns:
            (B, M) bool mask of the position of each item.
        """
        size, batch = len(self.labels), len(labels)
        order = torch.arange(batch, device=labels.device)
        before = snapshot_for_backward(self.written)
        positions = (before + order) % size
        kept = positions[-size:]  # so that no position is written twice
        self.points.index_copy_(0, kept, points[-size:].to(self.points.dtype))
        self.labels.index_copy_(0, kept, labels[-size:])
        self.written.copy_(before + batch * count)
        own = positions[:, None] == torch.arange(size, device=labels.device)
        return own & (order >= batch - size)[:, None]
