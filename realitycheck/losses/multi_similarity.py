"""Multi-similarity loss."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.pairs import pair_masks, similarities


class MultiSimilarity(Loss):
    """Weigh every pair by its own similarity and by that of its neighbours.

    Per anchor `1/α log(1 + Σ_p e^{−α(s_p − λ)}) + 1/β log(1 + Σ_n e^{β(s_n − λ)})`, mean over anchors,
    with s the cosine similarity; without the paper's miner. Wang, Han, Huang, Dong and Scott (2019), Eq. 15.

    Args:
        alpha: sharpness on positives, above 0.
        beta: sharpness on negatives, above 0.
        base: λ, the similarity around which pairs count.
    """

    def __init__(self, *, alpha: float, beta: float, base: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.base = base

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        excess = similarities(embeddings) - self.base  # (B, B)
        positive, negative = pair_masks(labels)
        pull = _log_one_plus_sum_exp(-self.alpha * excess, positive) / self.alpha
        push = _log_one_plus_sum_exp(self.beta * excess, negative) / self.beta
        return (pull + push).mean()


def _log_one_plus_sum_exp(exponents: Tensor, mask: Tensor) -> Tensor:
    """(B,) `log(1 + Σ e^x)` of each row under the mask; 0 where the mask is empty."""
    masked = exponents.masked_fill(~mask, -torch.inf)
    one = exponents.new_zeros((len(exponents), 1))
    return torch.cat([one, masked], dim=1).logsumexp(dim=1)
