"""Triplet loss over all triplets of the batch."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.pairs import PairLoss, distances, mean_nonzero


class Triplet(PairLoss):
    r"""Every positive nearer than every negative, by a margin.

    $$L = \mathrm{mean}^+_{a,\,p,\,n}\,[d_{ap} - d_{an} + m]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0 of all triplets
    of the batch. The form that Musgrave, Belongie and Lim (2020) compared; Schroff, Kalenichenko and Philbin (2015)
    square the distance and choose among negatives. Memory O(B³).

    Args:
        margin: m, by how much a negative should be farther than a positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        excess = distance[:, :, None] - distance[:, None, :] + self.margin  # (anchor, positive, negative)
        return mean_nonzero(excess.relu(), positive[:, :, None] & negative[:, None, :])
