"""Cross entropy of cosine similarities."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines


class CosineCrossEntropy(Loss):
    r"""Classify by the scaled cosine similarity to one class vector per class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s\,\cos\theta_{i y_i}}}{\sum_c e^{s\,\cos\theta_{ic}}}$$

    θ is the angle between embedding and class vector. Wang, Xiang, Cheng and Yuille (2017), with a fixed instead of a
    learned scale. The function equals normalised softmax with temperature 1/s, with the name and the units of the
    literature on face recognition. Class vectors are initialised as random unit vectors, as in the authors' code.

    Args:
        scale: s, above 0; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(functional.normalize(torch.randn(num_classes, embedding_dim), dim=1))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        return functional.cross_entropy(self.scale * cosines(embeddings, self.proxies), labels)
