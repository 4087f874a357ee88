"""Euclidean softmax loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import euclidean


class EuclideanSoftmax(Loss):
    r"""Classify by the plain distance to one learned proxy per class, nothing normalised.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{-T\,\| x_i - p_{y_i} \|}}{\sum_c e^{-T\,\| x_i - p_c \|}}$$

    DeMoor and Prevost (2024), Eq. 4: the loss that Warped-Softmax bends. Proxies start and stay where the authors' code
    puts them, N(0, 2/C) (Kaiming, fan out), whatever the protocol's rule: their distances are what the loss reads.

    Args:
        temperature: T, above 0, multiplies distances; the larger, the sharper, as in the paper.
        num_classes: C, one proxy each.
        embedding_dim: D.
    """

    keeps_init = ("proxies",)

    def __init__(self, *, temperature: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.temperature = temperature
        self.proxies = nn.Parameter(math.sqrt(2 / num_classes) * torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        return functional.cross_entropy(-self.temperature * euclidean(embeddings, self.proxies), labels)
