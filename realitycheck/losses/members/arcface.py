"""ArcFace loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class

SMALLEST_SINE_SQUARE = 1e-12
"""Lower bound on sin²θ, because the derivative of the sine by the cosine is infinite at θ = 0 and π."""


class ArcFace(Loss):
    r"""Classify by cosine similarity, with a margin added to the angle to the true class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s\,\cos(\theta_{i y_i} + m)}}{e^{s\,\cos(\theta_{i y_i} + m)}
    + \sum_{c \neq y_i} e^{s\,\cos\theta_{ic}}}$$

    θ is the angle between embedding and class vector. Deng, Guo, Xue and Zafeiriou (2019), Eq. 3. For θ + m above π,
    where the cosine increases again, it is replaced by cos θ − m sin m, as in the authors' code. Class vectors are
    initialised from N(0, 0.01²).

    Args:
        margin: m in degrees, in [0, 90]; 0 gives normalised softmax with temperature 1/s. The paper's 0.5 rad is 28.6.
        scale: s, above 0; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, margin: float, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = math.radians(margin)
        self.scale = scale
        self.proxies = nn.Parameter(0.01 * torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        cosine = cosines(embeddings, self.proxies)  # (B, C)
        own = cosine.gather(1, labels[:, None])  # (B, 1)
        logits = torch.where(own_class(labels, classes=len(self.proxies)), self._widened(own), cosine)
        return functional.cross_entropy(self.scale * logits, labels)

    def _widened(self, cosine: Tensor) -> Tensor:
        """Return `cos(θ + m)` of `cos θ`, continued above π."""
        sine = (1 - cosine.square()).clamp_min(SMALLEST_SINE_SQUARE).sqrt()
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        return torch.where(cosine > -math.cos(self.margin), turned, cosine - self.margin * math.sin(self.margin))
