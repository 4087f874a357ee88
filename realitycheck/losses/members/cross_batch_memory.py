"""Cross-batch memory for a loss on pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import snapshot_for_backward
from realitycheck.losses.parts.memory import Memory
from realitycheck.losses.parts.pairs import PairLoss


class CrossBatchMemory(Loss):
    r"""Apply a loss on pairs to the batch with itself, and to the batch with a memory of the latest batches.

    $$L = L_{\mathrm{base}}(X, X) + w \, L_{\mathrm{base}}(X, M)$$

    X are the points that the base loss compares, M those of the latest batches, without a gradient. In training, after
    the first `memory_start` steps, each batch replaces the oldest items of the memory before it is compared; until
    then, the memory term is 0. An item is compared with the copies of its batch, except its own. Wang, Zhang, Huang
    and Scott (2020), section 3, as in the authors' code (msight-tech/research-xbm), with two differences. The code
    recognises an item's copy by a similarity above 1 − 1e-5, here by its position. If a batch does not fit before the
    end of the memory, the code overwrites the last positions and continues at the start; here the oldest items are
    replaced. Of a batch larger than the memory, the last items are stored. In evaluation, the memory is compared but
    not changed. A base loss that counts steps counts two per batch. Memory: O(M·D), and that of the base for B anchors
    and M others, which is O(B·M) for losses on pairs and O(B·M²) for a loss on all triplets.

    Args:
        base: the loss on pairs.
        embedding_dim: D, the embedding dimensions.
        memory_size: size of M, at least 1.
        memory_weight: w, at least 0.
        memory_start: training steps before the memory is used, at least 0.
    """

    acts_later = ("memory_size", "memory_start")
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
        """Return the loss of embeddings (B, D) and labels (B,); in training, store them in the memory."""
        points = self.base.points(embeddings)
        compared = self._remember(points, labels)
        same = labels[:, None] == self.memory.labels[None, :]  # (B, M)
        others = self.memory.points.to(points.dtype)
        remembered = self.base.between(points, others, same & compared, ~same & compared)
        batch: Tensor = self.base(embeddings, labels)
        return batch + self.memory_weight * torch.where(compared.any(), remembered, torch.zeros_like(remembered))

    def _remember(self, points: Tensor, labels: Tensor) -> Tensor:
        """Return a (B, M) bool mask of the items of the memory with which each item is compared."""
        if not self.training:
            return self.memory.filled().expand(len(labels), -1)
        step = snapshot_for_backward(self.step)
        own = self.memory.write(points.detach(), labels, count=step >= self.memory_start)
        self.step.copy_(step + 1)
        return self.memory.filled() & ~own
