"""Multi-similarity loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss, log_one_plus_sum_exp


class MultiSimilarity(PairLoss):
    r"""Weigh every pair by its own similarity and by that of its neighbours.

    $$L = \frac{1}{B} \sum_i \left[ \frac{1}{\alpha} \log\left(1 + \sum_{p} e^{-\alpha (s_{ip} - \lambda)}\right)
    + \frac{1}{\beta} \log\left(1 + \sum_{n} e^{\beta (s_{in} - \lambda)}\right) \right]$$

    s is the cosine similarity. Wang, Han, Huang, Dong and Scott (2019), Eq. 15, without the paper's miner.

    Args:
        alpha: α, sharpness on positives, above 0.
        beta: β, sharpness on negatives, above 0.
        base: λ, the similarity around which pairs count.
    """

    def __init__(self, *, alpha: float, beta: float, base: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.base = base

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        excess = anchors @ others.T - self.base  # (B, M)
        pull = log_one_plus_sum_exp(-self.alpha * excess, positive) / self.alpha
        push = log_one_plus_sum_exp(self.beta * excess, negative) / self.beta
        return (pull + push).mean()
