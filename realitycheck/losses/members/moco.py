"""Momentum contrast."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss, Need
from realitycheck.losses.parts.memory import Memory
from realitycheck.losses.parts.pairs import masked_logsumexp


class MoCo(Loss):
    r"""Tell the keys of an item's class from all others, where keys come from a slow copy of the model.

    $$L = -\frac{1}{B} \sum_i \frac{1}{|P_i|} \sum_{p \in P_i}
    \log \frac{e^{s_{ip} / T}}{e^{s_{ip} / T} + \sum_n e^{s_{in} / T}}$$

    s is the cosine similarity of an embedding and a key. Keys are those of the batch, from the same images augmented
    anew, and those of a queue of the latest batches. P_i are all keys of the item's class, its own among them, and n
    runs over those of other classes. He, Fan, Wu, Xie and Girshick (2020), Eq. 1 and section 3.2, have no labels: the
    only positive is the item's own key, and the others come from the queue alone, which begins with random vectors.
    Here keys of the same class are positives, so that the loss asks for classes as all others do; the batch's other
    keys are compared, too, and the queue begins empty. In training, keys enter the queue before they are compared, so
    that the latest of its keys are the batch's own; of a batch larger than the queue, the last ones enter. The copy of
    the model is the house's. Memory: O(Q·D + B·Q) for a queue of Q.

    Args:
        temperature: T, above 0.
        momentum: what the copy keeps of itself in each step, from 0 to below 1.
        queue_size: keys that the queue holds, from 1.
        embedding_dim: D.
    """

    needs = frozenset({Need.KEYS})

    def __init__(self, *, temperature: float, momentum: float, queue_size: int, embedding_dim: int) -> None:
        super().__init__()
        self.temperature = temperature
        self.momentum = momentum
        self.queue = Memory(size=queue_size, dims=embedding_dim)

    def forward(self, embeddings: Tensor, labels: Tensor, *, keys: Tensor) -> Tensor:  # type: ignore[override]
        """The loss of embeddings (B, D), labels (B,) and keys (B, D); in training, keys enter the queue."""
        queries = functional.normalize(embeddings, dim=1)
        fresh = functional.normalize(keys.detach(), dim=1).to(queries.dtype)
        told = torch.cat([torch.ones_like(labels, dtype=torch.bool), self._remember(fresh, labels)])
        same = labels[:, None] == torch.cat([labels, self.queue.labels])  # (B, B + queue_size)
        logits = queries @ torch.cat([fresh, self.queue.points.to(queries.dtype)]).T / self.temperature
        against = masked_logsumexp(logits, ~same & told)
        terms = functional.softplus(against[:, None] - logits) * (same & told)
        return (terms.sum(dim=1) / (same & told).sum(dim=1)).mean()

    def _remember(self, keys: Tensor, labels: Tensor) -> Tensor:
        """(queue_size,) bool: where the queue holds keys of earlier batches."""
        if not self.training:
            return self.queue.filled()
        own = self.queue.write(keys, labels)
        return self.queue.filled() & ~own.any(dim=0)
