"""Triplet loss on the hardest triplet of every anchor."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.slopes import has, largest, masked_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class TripletBatchHard(SlopedLoss):
    r"""Bring the farthest positive of an anchor closer than its nearest negative by a margin.

    $$L = \mathrm{mean}_a \left[ \max_{p}\, d_{ap} - \min_{n}\, d_{an} + m \right]_+$$

    d is the Euclidean distance, not squared, and the mean is over all anchors with a positive and a negative. Hermans,
    Beyer and Leibe (2017), section 2. The paper does not normalise embeddings; here they are L2-normalised, as in the
    other triplet losses. The paper also has a soft margin; this is the hinge.

    Args:
        margin: m, by which the nearest negative should be farther than the farthest positive.
    """

    measure = Measure.DISTANCE

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        farthest, at_farthest = largest(distance, positive)
        nearest, at_nearest = largest(-distance, negative)  # with the sign reversed
        excess = farthest + nearest + self.margin  # (B, 1)
        value, active = masked_mean(excess.relu(), has(positive) * has(negative))
        return Sloped(value, (active * (excess > 0)) * (at_farthest - at_nearest))
