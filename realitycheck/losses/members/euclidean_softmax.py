"""Euclidean softmax loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import euclidean


class EuclideanSoftmax(Loss):
    r"""Classify by the Euclidean distance to one learned proxy per class, without normalisation.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{-T\,\| x_i - p_{y_i} \|}}{\sum_c e^{-T\,\| x_i - p_c \|}}$$

    DeMoor and Prevost (2024), Eq. 4, the loss on which Warped-Softmax is based. Proxies are initialised from N(0, 2/C)
    (Kaiming, fan out) as in the authors' code, and not by `loss_init`, because the loss depends on their distances.

    Args:
        temperature: T, above 0, a factor of the distances as in the paper; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    keeps_init = ("proxies",)
    # T multiplies distances, and a logit has no unit.
    lengths: ClassVar[Mapping[str, int]] = {"temperature": -1}

    def __init__(self, *, temperature: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.temperature = temperature
        self.proxies = nn.Parameter(math.sqrt(2 / num_classes) * torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        return functional.cross_entropy(-self.temperature * euclidean(embeddings, self.proxies), labels)
