"""Triplet loss over all triplets of the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pair_distances import recorded_distances
from realitycheck.losses.parts.pairs import PairLoss, hide, mean_nonzero

AT_ONCE = 2**20
"""Up to so many triplets B·M² are held at once (4 MB); above, they are counted by sorting."""


class Triplet(PairLoss):
    r"""Every positive nearer than every negative, by a margin.

    $$L = \mathrm{mean}^+_{a,\,p,\,n}\,[d_{ap} - d_{an} + m]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0 of all triplets
    of the batch. The form that Musgrave, Belongie and Lim (2020) compared; Schroff, Kalenichenko and Philbin (2015)
    square the distance and choose among negatives. All triplets at once where B³ is small, else in O(B²) memory.

    Args:
        margin: m, by how much a negative should be farther than a positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        distance = recorded_distances(anchors, others)  # (B, M)
        if distance.numel() * len(others) > AT_ONCE:
            return _by_ranks(distance, positive, negative, margin=self.margin)
        excess = distance[:, :, None] - distance[:, None, :] + self.margin  # (anchor, positive, negative)
        return mean_nonzero(excess.relu(), positive[:, :, None] & negative[:, None, :])


def _by_ranks(distance: Tensor, positive: Tensor, negative: Tensor, *, margin: float) -> Tensor:
    """The loss of (B, M) distances in O(B·M) memory: of an anchor's sorted negatives, the first ones are in reach."""
    reach = distance.double() + margin  # of each positive
    nearest_first = (-hide(-distance, negative)).sort(dim=1).values.double()
    count = torch.searchsorted(nearest_first.detach(), reach.detach()) * positive  # negatives in reach of a positive
    within = functional.pad(nearest_first.cumsum(dim=1), (1, 0))  # their sums: of none, of the first, of two, ...
    excess = count * reach - within.gather(1, count)
    return (excess.sum() / count.sum().clamp_min(1)).to(distance.dtype)
