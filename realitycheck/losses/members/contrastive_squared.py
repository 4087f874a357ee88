"""Contrastive loss with squared hinges."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class ContrastiveSquared(SlopedLoss):
    r"""Attract positives and repel negatives up to a margin, both with squared terms.

    $$L = \frac{1}{2\,B\,(B - 1)} \left( \sum_{y_i = y_j,\; i \neq j} d_{ij}^2
    + \sum_{y_i \neq y_j} [m - d_{ij}]_+^2 \right)$$

    d is the Euclidean distance of L2-normalised embeddings. Hadsell, Chopra and LeCun (2006), Eq. 4. The paper does not
    normalise embeddings and sums over a given list of pairs; here the loss is the mean over all pairs of the batch.

    Args:
        margin: m, distance above which negatives do not contribute, above 0; distances are at most 2.
    """

    measure = Measure.DISTANCE

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        pull = distance * positive
        push = (self.margin - distance).relu_().mul_(negative)
        pairs = (positive + negative).sum().clamp_min_(1)
        value = (pull.square() + push.square()).sum() / (2 * pairs)
        return Sloped(value, (pull - push).div_(pairs))
