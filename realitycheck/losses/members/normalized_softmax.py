"""Normalised softmax loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines


class NormalizedSoftmax(Loss):
    r"""Classify by the cosine similarity to one learned proxy per class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s_{i y_i} / T}}{\sum_c e^{s_{ic} / T}}$$

    s is the cosine similarity of embedding and proxy. Zhai and Wu (2019), section 3.1. The loss equals ProxyNCA++ with
    scale 1/(2T).

    Args:
        temperature: T, above 0; smaller values give a sharper distribution.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, temperature: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.temperature = temperature
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        return functional.cross_entropy(cosines(embeddings, self.proxies) / self.temperature, labels)
