"""Triplet loss over all triplets of the batch."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.pairs import distances, mean_nonzero, pair_masks


class Triplet(Loss):
    """Every positive nearer than every negative, by a margin.

    `mean [d_ap − d_an + margin]₊` over all triplets of the batch whose term is above 0, with d the Euclidean
    distance of L2-normalised embeddings (Weinberger and Saul, 2009; Schroff, Kalenichenko and Philbin, 2015,
    square the distance and choose among negatives). The form that Musgrave, Belongie and Lim (2020)
    compared. Memory O(B³).

    Args:
        margin: by how much a negative should be farther than a positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        distance = distances(embeddings)  # (B, B)
        positive, negative = pair_masks(labels)
        excess = distance[:, :, None] - distance[:, None, :] + self.margin  # (anchor, positive, negative)
        return mean_nonzero(excess.relu(), positive[:, :, None] & negative[:, None, :])
