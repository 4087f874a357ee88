"""Circle loss on pairs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.slopes import has, log_sum_exp, masked_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class Circle(SlopedLoss):
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

    measure = Measure.COSINE

    def __init__(self, *, margin: float, gamma: float) -> None:
        super().__init__()
        self.margin = margin
        self.gamma = gamma

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        m = self.margin
        pull_weight = self.gamma * (1 + m - similarity).relu_()  # without a derivative, as in the paper
        push_weight = self.gamma * (similarity + m).relu_()
        pull, at_positive = log_sum_exp((1 - m - similarity) * pull_weight, positive)
        push, at_negative = log_sum_exp((similarity - m) * push_weight, negative)
        total = pull + push  # (B, 1)
        value, share = masked_mean(functional.softplus(total), has(positive) * has(negative))
        slope = at_negative.mul_(push_weight) - at_positive.mul_(pull_weight)
        return Sloped(value, slope.mul_(total.sigmoid() * share))
