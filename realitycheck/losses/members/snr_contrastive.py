"""Signal-to-noise ratio contrastive loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pair_distances import SMALLEST_SQUARE, distances
from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero


class SNRContrastive(PairLoss):
    r"""Contrast pairs by the ratio of the noise between two embeddings to the signal of the first.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[d_{ij} - m_p]_+ + \mathrm{mean}^+_{y_i \neq y_j}\,[m_n - d_{ij}]_+
    + \frac{\lambda}{B} \sum_i \left| \sum_k x_{ik} \right|, \quad
    d_{ij} = \frac{\mathrm{var}(x_j - x_i)}{\mathrm{var}(x_i)}$$

    x are the embeddings as they are, var is over the dimensions of one vector, and mean⁺ the mean over the terms
    above 0. Yuan, Deng, Tang, Tang and Chen (2019), section 3. The mean⁺ is that of pytorch-metric-learning, which by
    default also L2-normalises x for d; Musgrave, Belongie and Lim (2020) compared it so, the paper does not. With the
    zero sums that the penalty asks for, d ranks the neighbours of a query as the Euclidean distance does: under it the
    embeddings are to be compared.

    Args:
        pos_margin: m_p, ratio under which positives are left alone, from 0.
        neg_margin: m_n, ratio over which negatives are left alone; two independent embeddings have about 2.
        regularizer: λ, from 0, what a non-zero sum of an embedding costs.
    """

    def __init__(self, *, pos_margin: float, neg_margin: float, regularizer: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.regularizer = regularizer

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        return super().forward(embeddings, labels) + self.regularizer * embeddings.sum(dim=1).abs().mean()

    def points(self, embeddings: Tensor) -> Tensor:
        """(B, D) the embeddings less the mean of each: what is left of them in a variance."""
        return embeddings - embeddings.mean(dim=1, keepdim=True)

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The contrast of anchors (B, D) with others (M, D), without the penalty."""
        signal = anchors.square().sum(dim=1, keepdim=True).clamp_min(SMALLEST_SQUARE)
        ratio = distances(anchors, others).square() / signal  # (B, M)
        pull = mean_nonzero((ratio - self.pos_margin).relu(), positive)
        push = mean_nonzero((self.neg_margin - ratio).relu(), negative)
        return pull + push
