"""Margin loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss


class Margin(PairLoss):
    r"""Bring positives closer than a learned boundary and negatives farther, each by a margin.

    $$L = \frac{1}{|\{> 0\}|} \sum_{a,\,p,\,n} \left( [d_{ap} - \beta + m]_+ + [\beta - d_{an} + m]_+ \right)$$

    d is the Euclidean distance of L2-normalised embeddings, β one learned boundary for all classes, and |{> 0}| the
    number of brackets above 0. Wu, Manmatha, Smola and Krähenbühl (2017), section 4, without their penalty on β, which
    has weight 0 in their code. The sum is over all triplets of the batch, as in Musgrave, Belongie and Lim (2020),
    instead of the paper's distance-weighted sampling. As there, positives and negatives have the same weight, and β has
    no weight decay. Memory O(B²).

    Args:
        margin: m, distance from the boundary to each side.
        beta: initial value of the learned β, a distance in [0, 2].
    """

    undecayed = ("beta",)

    def __init__(self, *, margin: float, beta: float) -> None:
        super().__init__()
        self.margin = margin
        self.beta = nn.Parameter(torch.tensor(float(beta)))

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        return boundary_loss(self.beta, distances(anchors, others), positive, negative, margin=self.margin)


def boundary_loss(boundary: Tensor, distance: Tensor, positive: Tensor, negative: Tensor, *, margin: float) -> Tensor:
    """Return the margin loss of (B, M) distances for a boundary, a scalar or (B, 1).

    A positive is in as many triplets as its anchor has negatives, and a negative in as many as it has positives.
    """
    offset = distance - boundary.to(distance.dtype)
    pull = (offset + margin).relu() * positive.to(distance.dtype)
    push = (margin - offset).relu() * negative.to(distance.dtype)
    positives, negatives = positive.sum(dim=1), negative.sum(dim=1)
    count = pull.count_nonzero(dim=1) * negatives + push.count_nonzero(dim=1) * positives  # (B,)
    total = pull.sum(dim=1) * negatives + push.sum(dim=1) * positives
    return total.sum() / count.sum().clamp_min(1)
