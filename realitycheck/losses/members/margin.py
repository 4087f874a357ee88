"""Margin loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class Margin(SlopedLoss):
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

    measure = Measure.DISTANCE
    undecayed = ("beta",)

    def __init__(self, *, margin: float, beta: float) -> None:
        super().__init__()
        self.margin = margin
        self.beta = nn.Parameter(torch.tensor(float(beta)))

    def learned(self) -> tuple[Tensor, ...]:
        """Return the boundary β."""
        return (self.beta,)

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivatives."""
        return boundary_loss(distance, positive, negative, boundary=self.beta, margin=self.margin)


def boundary_loss(distance: Tensor, positive: Tensor, negative: Tensor, *, boundary: Tensor, margin: float) -> Sloped:
    """Return the margin loss of (B, M) distances for a boundary, a scalar or (B, 1), and its derivatives by both.

    A positive is in as many triplets as its anchor has negatives, and a negative in as many as it has positives.
    """
    offset = distance - boundary.to(distance.dtype)
    positives, negatives = positive.sum(dim=1, keepdim=True), negative.sum(dim=1, keepdim=True)
    pull = (offset + margin).relu_().mul_(positive)
    push = (margin - offset).relu_().mul_(negative)
    total = (pull.sum(dim=1, keepdim=True) * negatives + push.sum(dim=1, keepdim=True) * positives).sum()
    pulled, pushed = pull.sign_().mul_(negatives), push.sign_().mul_(positives)
    count = (pulled + pushed).sum().clamp_min_(1)
    slope = pulled.sub_(pushed).div_(count)
    return Sloped(total / count, slope, (-slope.sum(dim=1, keepdim=True).sum_to_size(boundary.shape),))
