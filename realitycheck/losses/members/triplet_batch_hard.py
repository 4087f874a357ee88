"""Triplet loss on the hardest triplet of every anchor."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, hide, mean_of_anchors


class TripletBatchHard(PairLoss):
    r"""Bring the farthest positive of an anchor closer than its nearest negative by a margin.

    $$L = \mathrm{mean}_a \left[ \max_{p}\, d_{ap} - \min_{n}\, d_{an} + m \right]_+$$

    d is the Euclidean distance, not squared, and the mean is over all anchors with a positive and a negative. Hermans,
    Beyer and Leibe (2017), section 2. The paper does not normalise embeddings; here they are L2-normalised, as in the
    other triplet losses. The paper also has a soft margin; this is the hinge.

    Args:
        margin: m, by which the nearest negative should be farther than the farthest positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        farthest = hide(distance, positive).amax(dim=1)
        nearest = -hide(-distance, negative).amax(dim=1)
        whole = positive.any(dim=1) & negative.any(dim=1)
        return mean_of_anchors((farthest - nearest + self.margin).relu(), whole)
