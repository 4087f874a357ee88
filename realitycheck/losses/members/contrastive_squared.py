"""Contrastive loss with squared hinges."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, mean_where


class ContrastiveSquared(PairLoss):
    r"""Attract positives and repel negatives up to a margin, both with squared terms.

    $$L = \frac{1}{2\,B\,(B - 1)} \left( \sum_{y_i = y_j,\; i \neq j} d_{ij}^2
    + \sum_{y_i \neq y_j} [m - d_{ij}]_+^2 \right)$$

    d is the Euclidean distance of L2-normalised embeddings. Hadsell, Chopra and LeCun (2006), Eq. 4. The paper does not
    normalise embeddings and sums over a given list of pairs; here the loss is the mean over all pairs of the batch.

    Args:
        margin: m, distance above which negatives do not contribute, above 0; distances are at most 2.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        pull = distance * positive
        push = (self.margin - distance).relu() * negative
        return mean_where((pull + push).square() / 2, positive | negative)
