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

    θ is the angle of embedding and class vector. Wang, Xiang, Cheng and Yuille (2017), with a fixed scale where they
    learn it. The same function as normalised softmax with temperature 1/s, under the name and in the units of the
    literature on faces. Class vectors start as random unit vectors, as in the authors' code.

    Args:
        scale: s, above 0; the larger, the sharper.
        num_classes: C, one class vector each.
        embedding_dim: D.
    """

    def __init__(self, *, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(functional.normalize(torch.randn(num_classes, embedding_dim), dim=1))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        return functional.cross_entropy(self.scale * cosines(embeddings, self.proxies), labels)
