"""Momentum contrast."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss, Need
from realitycheck.losses.parts.memory import Memory
from realitycheck.losses.parts.pairs import masked_logsumexp


class MoCo(Loss):
    r"""Distinguish keys of an item's class from all others; keys come from a moving average of the model.

    $$L = -\frac{1}{B} \sum_i \frac{1}{|P_i|} \sum_{p \in P_i}
    \log \frac{e^{s_{ip} / T}}{e^{s_{ip} / T} + \sum_n e^{s_{in} / T}}$$

    s is the cosine similarity of an embedding and a key. Keys are those of the batch, from the same images with another
    augmentation, and those of a queue of the latest batches. P_i are all keys of the item's class, including its own,
    and n runs over the keys of other classes. He, Fan, Wu, Xie and Girshick (2020), Eq. 1 and section 3.2, use no
    labels: the only positive is the item's own key, and all others come from the queue, which is initialised with
    random vectors. Here keys of the same class are positives, as in all other losses; other keys of the batch are
    compared, too, and the queue is empty at first. In training, the batch's keys are stored in the queue before the
    comparison; of a batch larger than the queue, the last ones are stored. The training maintains the moving average.
    Memory: O(Q·D + B·Q) for a queue of size Q.

    Args:
        temperature: T, above 0.
        momentum: weight of the old average in a step, in [0, 1).
        queue_size: Q, number of keys in the queue, at least 1.
        embedding_dim: D, the embedding dimensions.
    """

    needs = frozenset({Need.KEYS})
    acts_later = ("momentum", "queue_size")

    def __init__(self, *, temperature: float, momentum: float, queue_size: int, embedding_dim: int) -> None:
        super().__init__()
        self.temperature = temperature
        self.momentum = momentum
        self.queue = Memory(size=queue_size, dims=embedding_dim)

    def forward(self, embeddings: Tensor, labels: Tensor, *, keys: Tensor) -> Tensor:  # type: ignore[override]
        """Return the loss of embeddings (B, D), labels (B,) and keys (B, D); in training, store the keys."""
        queries = functional.normalize(embeddings, dim=1)
        fresh = functional.normalize(keys.detach(), dim=1).to(queries.dtype)
        compared = torch.cat([torch.ones_like(labels, dtype=torch.bool), self._remember(fresh, labels)])
        same = labels[:, None] == torch.cat([labels, self.queue.labels])  # (B, B + queue_size)
        logits = queries @ torch.cat([fresh, self.queue.points.to(queries.dtype)]).T / self.temperature
        against = masked_logsumexp(logits, ~same & compared)
        terms = functional.softplus(against[:, None] - logits) * (same & compared)
        return (terms.sum(dim=1) / (same & compared).sum(dim=1)).mean()

    def _remember(self, keys: Tensor, labels: Tensor) -> Tensor:
        """Return a (queue_size,) bool mask of the keys of earlier batches."""
        if not self.training:
            return self.queue.filled()
        own = self.queue.write(keys, labels)
        return self.queue.filled() & ~own.any(dim=0)
