"""Contrastive loss with squared hinges."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, mean_where


class ContrastiveSquared(PairLoss):
    r"""Pull positives together and push negatives farther than a margin, both by squares.

    $$L = \frac{1}{2\,B\,(B - 1)} \left( \sum_{y_i = y_j,\; i \neq j} d_{ij}^2
    + \sum_{y_i \neq y_j} [m - d_{ij}]_+^2 \right)$$

    d is the Euclidean distance of L2-normalised embeddings. Hadsell, Chopra and LeCun (2006), Eq. 4. The paper leaves
    embeddings as they are and sums over a given list of pairs; here they lie on the unit sphere, and the mean goes
    over all pairs of the batch.

    Args:
        margin: m, distance over which negatives are left alone, above 0; distances end at 2.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        pull = distance * positive
        push = (self.margin - distance).relu() * negative
        return mean_where((pull + push).square() / 2, positive | negative)
