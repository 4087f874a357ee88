"""Multi-similarity loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.slopes import log_one_plus_sum_exp
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class MultiSimilarity(SlopedLoss):
    r"""Weight every pair by its own similarity and by those of the anchor's other pairs.

    $$L = \frac{1}{B} \sum_i \left[ \frac{1}{\alpha} \log\left(1 + \sum_{p} e^{-\alpha (s_{ip} - \lambda)}\right)
    + \frac{1}{\beta} \log\left(1 + \sum_{n} e^{\beta (s_{in} - \lambda)}\right) \right]$$

    s is the cosine similarity. Wang, Han, Huang, Dong and Scott (2019), Eq. 15, without the paper's miner.

    Args:
        alpha: α, above 0; larger values give a sharper weighting of positives.
        beta: β, above 0; larger values give a sharper weighting of negatives.
        base: λ, similarity at which the term of a pair is 1.
    """

    measure = Measure.COSINE

    def __init__(self, *, alpha: float, beta: float, base: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.base = base

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        excess = similarity - self.base
        pull, nearer = log_one_plus_sum_exp(-self.alpha * excess, positive)
        push, farther = log_one_plus_sum_exp(self.beta * excess, negative)
        value = (pull / self.alpha).add_(push, alpha=1 / self.beta).mean()
        return Sloped(value, farther.sub_(nearer).div_(len(similarity)))
