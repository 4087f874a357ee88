"""Circle loss on pairs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pairs import PairLoss, masked_logsumexp, mean_of_anchors


class Circle(PairLoss):
    r"""Require every positive to be more similar than every negative, with the largest weights farthest from that.

    $$L = \frac{1}{B} \sum_i \log\left(1 + \sum_n e^{\gamma [s_{in} + m]_+ (s_{in} - m)}
    \sum_p e^{-\gamma [1 + m - s_{ip}]_+ (s_{ip} - 1 + m)}\right)$$

    s is the cosine similarity; the brackets are weights without a gradient. Sun, Cheng, Zhang, Zhang, Zheng, Wang
    and Wei (2020), section 3, for one anchor. The mean is over anchors with both a positive and a negative. The
    authors published no code; pytorch-metric-learning excludes anchors with a term that rounds to 0 from its mean.

    Args:
        margin: m, in [0, 1]: the targets are above 1 − m for positives and below m for negatives.
        gamma: γ, above 0; larger values give a sharper weighting.
    """

    def __init__(self, *, margin: float, gamma: float) -> None:
        super().__init__()
        self.margin = margin
        self.gamma = gamma

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = anchors @ others.T  # (B, M)
        fixed, m = similarity.detach(), self.margin
        pull = -self.gamma * (1 + m - fixed).relu() * (similarity - (1 - m))
        push = self.gamma * (fixed + m).relu() * (similarity - m)
        terms = functional.softplus(masked_logsumexp(pull, positive) + masked_logsumexp(push, negative))  # (B,)
        return mean_of_anchors(terms, positive.any(dim=1) & negative.any(dim=1))
