"""Triplet loss over all triplets of the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pairs import hide
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class Triplet(SlopedLoss):
    r"""Bring every positive closer than every negative by a margin.

    $$L = \mathrm{mean}^+_{a,\,p,\,n}\,[d_{ap} - d_{an} + m]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0 of all triplets
    of the batch. This is the form compared by Musgrave, Belongie and Lim (2020); Schroff, Kalenichenko and Philbin
    (2015) square the distance and select negatives. Triplets are counted by sorting, in O(B²) memory.

    Args:
        margin: m, by which a negative should be farther than a positive.
    """

    measure = Measure.DISTANCE

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        reach = distance.double() + self.margin  # of each positive
        nearest_first, order = hide(-distance, negative).sort(dim=1, descending=True)
        nearest_first = -nearest_first.double()  # the anchor's negatives, then very high values
        count = torch.searchsorted(nearest_first, reach) * positive.to(torch.int64)  # negatives in reach of a positive
        within = functional.pad(nearest_first.cumsum(dim=1), (1, 0))  # sums of the first 0, 1, 2, … negatives
        terms = count.sum().clamp_min(1)
        value = (count * reach - within.gather(1, count)).sum() / terms
        in_reach = torch.zeros_like(count).scatter_(1, order, _reached_by(count))  # positives that reach a negative
        slope = (count - in_reach) / terms
        return Sloped(value.to(distance.dtype), slope.to(distance.dtype))


def _reached_by(count: Tensor) -> Tensor:
    """Return (B, M) how many of a row's counts exceed 0, 1, 2, …: the positives that reach the n-th negative."""
    equal = count.new_zeros((len(count), count.shape[1] + 1)).scatter_add_(1, count, torch.ones_like(count))
    return count.shape[1] - equal.cumsum(dim=1)[:, :-1]
