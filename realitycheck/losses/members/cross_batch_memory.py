"""Cross-batch memory around a loss on pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import held
from realitycheck.losses.parts.memory import Memory
from realitycheck.losses.parts.pairs import PairLoss


class CrossBatchMemory(Loss):
    r"""A loss on pairs, of the batch with itself and of the batch with a memory of the latest batches.

    $$L = L_{\mathrm{base}}(X, X) + w \, L_{\mathrm{base}}(X, M)$$

    X are the points that the base loss compares, M those of the latest batches, without gradient. In training, after
    the first `memory_start` steps, each batch enters the memory before it is compared, in place of the oldest items;
    until then, the memory term is 0. An item is compared with the copies of its batch, but not with its own. Wang,
    Zhang, Huang and Scott (2020), section 3, by the authors' code (msight-tech/research-xbm). That code knows an item's
    copy by a similarity above 1 - 1e-5, here by its place; where a batch would pass the end of the memory, it goes over
    the last places and starts anew, here over the oldest items. Of a batch larger than the memory, the last items
    enter. Outside of training, the memory is compared as it is and does not change. A base loss that counts steps
    counts two per batch. Memory: O(M·D), and what the base takes for B anchors and M others: O(B·M) for losses on
    pairs, O(B·M²) for a loss on all triplets.

    Args:
        base: the loss on pairs.
        embedding_dim: D.
        memory_size: items that M holds, from 1.
        memory_weight: w, from 0.
        memory_start: steps of training before the memory begins, from 0.
    """

    step: Tensor

    def __init__(
        self, *, base: PairLoss, embedding_dim: int, memory_size: int, memory_weight: float, memory_start: int
    ) -> None:
        super().__init__()
        self.base = base
        self.memory_weight = memory_weight
        self.memory_start = memory_start
        self.memory = Memory(size=memory_size, dims=embedding_dim)
        self.register_buffer("step", torch.tensor(0))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,); in training, they enter the memory."""
        points = self.base.points(embeddings)
        compared = self._remember(points, labels)
        same = labels[:, None] == self.memory.labels[None, :]  # (B, M)
        others = self.memory.points.to(points.dtype)
        remembered = self.base.between(points, others, same & compared, ~same & compared)
        batch: Tensor = self.base(embeddings, labels)
        return batch + self.memory_weight * torch.where(compared.any(), remembered, torch.zeros_like(remembered))

    def _remember(self, points: Tensor, labels: Tensor) -> Tensor:
        """(B, M) bool: the items of the memory that each of the batch is compared with."""
        if not self.training:
            return self.memory.filled().expand(len(labels), -1)
        step = held(self.step)
        own = self.memory.write(points.detach(), labels, count=step >= self.memory_start)
        self.step.copy_(step + 1)
        return self.memory.filled() & ~own
