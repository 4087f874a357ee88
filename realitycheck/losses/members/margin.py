"""Margin loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss


class Margin(PairLoss):
    r"""Positives nearer than a learned boundary, negatives farther, each by a margin.

    $$L = \frac{1}{|\{> 0\}|} \sum_{a,\,p,\,n} \left( [d_{ap} - \beta + m]_+ + [\beta - d_{an} + m]_+ \right)$$

    d is the Euclidean distance of L2-normalised embeddings, β one learned boundary for all classes, and |{> 0}| the
    number of brackets above 0. Wu, Manmatha, Smola and Krähenbühl (2017), section 4, without their penalty on β, whose
    weight is 0 in their code. All triplets of the batch, as Musgrave, Belongie and Lim (2020) compared, in place of the
    paper's distance-weighted sampling; positives and negatives weigh alike and no weight decay reaches β, as there.
    Memory O(B²).

    Args:
        margin: m, between the boundary and each side.
        beta: the initial β, a distance from 0 to 2; it is learned.
    """

    undecayed = ("beta",)

    def __init__(self, *, margin: float, beta: float) -> None:
        super().__init__()
        self.margin = margin
        self.beta = nn.Parameter(torch.tensor(float(beta)))

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        return around(self.beta, distances(anchors, others), positive, negative, margin=self.margin)


def around(boundary: Tensor, distance: Tensor, positive: Tensor, negative: Tensor, *, margin: float) -> Tensor:
    """The loss of (B, M) distances about a boundary, a scalar or (B, 1).

    A positive comes in as many triplets as its anchor has negatives, and a negative in as many as it has positives.
    """
    offset = distance - boundary.to(distance.dtype)
    pull = (offset + margin).relu() * positive.to(distance.dtype)
    push = (margin - offset).relu() * negative.to(distance.dtype)
    positives, negatives = positive.sum(dim=1), negative.sum(dim=1)
    count = pull.count_nonzero(dim=1) * negatives + push.count_nonzero(dim=1) * positives  # (B,)
    total = pull.sum(dim=1) * negatives + push.sum(dim=1) * positives
    return total.sum() / count.sum().clamp_min(1)
