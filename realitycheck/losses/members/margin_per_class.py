"""Margin loss with a boundary per class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.members.margin import around
from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import pair_masks


class MarginPerClass(Loss):
    r"""Positives nearer than the learned boundary of the anchor's class, negatives farther, each by a margin.

    $$L = \frac{1}{|\{> 0\}|} \sum_{a,\,p,\,n}
    \left( [d_{ap} - \beta_{y_a} + m]_+ + [\beta_{y_a} - d_{an} + m]_+ \right)$$

    The loss of `margin` with a boundary β of its own for each class. Wu, Manmatha, Smola and Krähenbühl (2017),
    section 4, without the sampling and without their boundary per image. No weight decay reaches β.

    Args:
        margin: m, between the boundary and each side.
        beta: the initial β of all classes, a distance from 0 to 2; each is learned.
        num_classes: C, one β each.
    """

    undecayed = ("beta",)

    def __init__(self, *, margin: float, beta: float, num_classes: int) -> None:
        super().__init__()
        self.margin = margin
        self.beta = nn.Parameter(torch.full((num_classes,), float(beta)))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        points = functional.normalize(embeddings, dim=1)
        boundary = self.beta[labels][:, None]
        return around(boundary, distances(points, points), *pair_masks(labels), margin=self.margin)
