"""SphereFace-R, the later and more stable form of SphereFace by the same authors."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class SphereFaceR(Loss):
    r"""Multiply the angle to the own class vector by m in the value of the loss, but not in its gradient.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s \, (\cos\theta_i + \Delta_i)}}{e^{s \, (\cos\theta_i + \Delta_i)} +
    \sum_{c \neq y_i} e^{s \cos\theta_{ic}}}, \quad
    \Delta_i = (-1)^k \cos(m\theta_i) - 2k - \cos\theta_i$$

    θ_ic is the angle between embedding and class vector, θ_i that of the own class, and k the integer part of mθ_i / π.
    Δ has no gradient. Embeddings are normalised, so no annealing is needed, and m can be any real number. Liu, Wen,
    Raj, Singh and Weller (2022) with hard feature normalisation and characteristic gradient detachment, with the ψ of
    SphereFace, as in the authors' code (ydwen/opensphere). Difference: class vectors are normalised in the function,
    not overwritten at each step.

    Args:
        margin: m, at least 1; with 1 the loss is normalised softmax.
        scale: s, above 0.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, margin: float, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.scale = scale
        self.proxies = nn.Parameter(nn.init.xavier_normal_(torch.empty(num_classes, embedding_dim)))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        cosine = cosines(embeddings.to(self.proxies.dtype), self.proxies)  # (B, C)
        shift = self._shift(cosine.detach().gather(1, labels[:, None]))  # (B, 1)
        logits = cosine + shift * own_class(labels, classes=len(self.proxies))
        return functional.cross_entropy(self.scale * logits, labels)

    def _shift(self, cosine: Tensor) -> Tensor:
        cosine = cosine.clamp(-1, 1)
        angle = self.margin * cosine.arccos()
        turns = (angle / math.pi).floor()
        return (1 - 2 * (turns % 2)) * angle.cos() - 2 * turns - cosine
