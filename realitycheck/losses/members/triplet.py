"""Triplet loss over all triplets of the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pair_distances import recorded_distances
from realitycheck.losses.parts.pairs import PairLoss, hide, mean_nonzero

MAX_TRIPLETS = 2**20
"""Largest number B·M² of triplets in memory (4 MB); more triplets are counted by sorting."""


class Triplet(PairLoss):
    r"""Bring every positive closer than every negative by a margin.

    $$L = \mathrm{mean}^+_{a,\,p,\,n}\,[d_{ap} - d_{an} + m]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0 of all triplets
    of the batch. This is the form compared by Musgrave, Belongie and Lim (2020); Schroff, Kalenichenko and Philbin
    (2015) square the distance and select negatives. Memory O(B³) for small batches, else O(B²).

    Args:
        margin: m, by which a negative should be farther than a positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        distance = recorded_distances(anchors, others)  # (B, M)
        if distance.numel() * len(others) > MAX_TRIPLETS:
            return _by_ranks(distance, positive, negative, margin=self.margin)
        excess = distance[:, :, None] - distance[:, None, :] + self.margin  # (anchor, positive, negative)
        return mean_nonzero(excess.relu(), positive[:, :, None] & negative[:, None, :])


def _by_ranks(distance: Tensor, positive: Tensor, negative: Tensor, *, margin: float) -> Tensor:
    """Return the loss of (B, M) distances in O(B·M) memory.

    A positive has a term above 0 with the first of the anchor's sorted negatives, up to its distance plus the margin.
    """
    reach = distance.double() + margin  # of each positive
    nearest_first = (-hide(-distance, negative)).sort(dim=1).values.double()
    count = torch.searchsorted(nearest_first.detach(), reach.detach()) * positive  # negatives in reach of a positive
    within = functional.pad(nearest_first.cumsum(dim=1), (1, 0))  # sums of the first 0, 1, 2, … negatives
    excess = count * reach - within.gather(1, count)
    return (excess.sum() / count.sum().clamp_min(1)).to(distance.dtype)
