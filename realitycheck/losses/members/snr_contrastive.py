"""Signal-to-noise ratio contrastive loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from realitycheck.losses.parts.pair_distances import SMALLEST_SQUARE, distances
from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero


class SNRContrastive(PairLoss):
    r"""Contrast pairs by the ratio of the noise between two embeddings and the signal of the first.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[d_{ij} - m_p]_+ + \mathrm{mean}^+_{y_i \neq y_j}\,[m_n - d_{ij}]_+
    + \frac{\lambda}{B} \sum_i \left| \sum_k x_{ik} \right|, \quad
    d_{ij} = \frac{\mathrm{var}(x_j - x_i)}{\mathrm{var}(x_i)}$$

    x are the unnormalised embeddings, var is over the dimensions of one vector, and mean⁺ is the mean over the terms
    above 0. Yuan, Deng, Tang, Tang and Chen (2019), section 3. The mean⁺ is that of pytorch-metric-learning, which by
    default also L2-normalises x for d, as in Musgrave, Belongie and Lim (2020); the paper does not. If the sums are
    zero, as the penalty requires, d ranks the neighbours of a query like the Euclidean distance, which is therefore the
    loss's distance.

    Args:
        pos_margin: m_p, ratio below which positives do not contribute, at least 0.
        neg_margin: m_n, ratio above which negatives do not contribute; that of independent embeddings is about 2.
        regularizer: λ, at least 0, weight of the penalty on the sum of an embedding.
    """

    # The margins bound ratios of variances. λ weighs the sum of an embedding's numbers, which grows with its length.
    lengths: ClassVar[Mapping[str, int]] = {"regularizer": -1}

    def __init__(self, *, pos_margin: float, neg_margin: float, regularizer: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.regularizer = regularizer

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,)."""
        return super().forward(embeddings, labels) + self.regularizer * embeddings.sum(dim=1).abs().mean()

    def points(self, embeddings: Tensor) -> Tensor:
        """Return the (B, D) embeddings minus the mean of each, which does not change a variance."""
        return embeddings - embeddings.mean(dim=1, keepdim=True)

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D), without the penalty."""
        signal = anchors.square().sum(dim=1, keepdim=True).clamp_min(SMALLEST_SQUARE)
        ratio = distances(anchors, others).square() / signal  # (B, M)
        pull = mean_nonzero((ratio - self.pos_margin).relu(), positive)
        push = mean_nonzero((self.neg_margin - ratio).relu(), negative)
        return pull + push
