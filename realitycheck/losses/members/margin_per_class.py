"""Margin loss with a boundary per class."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Loss
from realitycheck.losses.members.margin import boundary_loss
from realitycheck.losses.parts.written_gradients import Measure, of_batch


class MarginPerClass(Loss):
    r"""Bring positives closer than the learned boundary of the anchor's class and negatives farther, by a margin.

    $$L = \frac{1}{|\{> 0\}|} \sum_{a,\,p,\,n}
    \left( [d_{ap} - \beta_{y_a} + m]_+ + [\beta_{y_a} - d_{an} + m]_+ \right)$$

    The loss `margin` with one boundary β for each class. Wu, Manmatha, Smola and Krähenbühl (2017), section 4, without
    the sampling and without their boundary per image. β has no weight decay.

    Args:
        margin: m, distance from the boundary to each side.
        beta: initial value of the learned β of all classes, a distance in [0, 2].
        num_classes: C, the number of classes, each with one β.
    """

    undecayed = ("beta",)

    def __init__(self, *, margin: float, beta: float, num_classes: int) -> None:
        super().__init__()
        self.margin = margin
        self.beta = nn.Parameter(torch.full((num_classes,), float(beta)))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        boundary = self.beta[labels][:, None]
        formula = partial(boundary_loss, boundary=boundary, margin=self.margin)
        return of_batch(embeddings, labels, formula, measure=Measure.DISTANCE, normalized=True, learned=(boundary,))
