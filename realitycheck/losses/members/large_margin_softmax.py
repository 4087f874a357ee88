"""Large-margin softmax loss."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import snapshot_for_backward
from realitycheck.losses.parts.proxies import own_class

SMALLEST = 1e-12
"""Lower bound on the norm of a divisor, because the zero vector has no direction."""


class LargeMarginSoftmax(Loss):
    r"""Classify with a linear layer, with the angle to the own class vector multiplied by m.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{f_i}}{e^{f_i} + \sum_{c \neq y_i} e^{w_c \cdot x_i}}, \quad
    f_i = |w_{y_i}| |x_i| \frac{\lambda \cos\theta_i + \psi(\theta_i)}{1 + \lambda}, \quad
    \psi(\theta) = (-1)^k \cos(m\theta) - 2k$$

    θ_i is the angle between the embedding x_i and its class vector w, both unnormalised, and k is the integer part of
    θ_i m / π. λ decreases with the training step t = 1, 2, … as `max(lambda_min, 1000 / (1 + 0.12 t))`. Liu, Wen,
    Yu and Yang (2016), Eq. 4 to 7, and their annealing; with m = 1 the loss is the softmax without bias. Differences:
    the paper states no constants of the annealing, so they are those that the authors published with SphereFace; the
    gradient is that of the function, where the authors' layer rescales it. Class vectors keep the initial values of the
    authors' layer instead of `loss_init`, because their norm sets the scale of the logits.

    Args:
        margin: m, an integer, at least 1; the authors' layer supports 1 to 4.
        lambda_min: lower bound of λ, at least 0; larger values are closer to the plain softmax.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    keeps_init: ClassVar[tuple[str, ...]] = ("proxies",)
    acts_later = ("lambda_min",)
    steps: Tensor

    def __init__(self, *, margin: int, lambda_min: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.lambda_min = lambda_min
        self.proxies = nn.Parameter(nn.init.kaiming_normal_(torch.empty(num_classes, embedding_dim)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, count the step."""
        vectors = self.class_vectors()
        points = embeddings.to(vectors.dtype)
        logits = points @ vectors.T  # (B, C)
        plain = logits.gather(1, labels[:, None])  # (B, 1)
        length = points.norm(dim=1, keepdim=True) * self.own_lengths(labels)
        wide = length * widened(plain / length.clamp_min(SMALLEST), self.margin)
        weight = self._next_weight().to(plain.dtype)
        mixed = (weight * plain + wide) / (1 + weight)
        logits = torch.where(own_class(labels, classes=len(vectors)), mixed, logits)
        return functional.cross_entropy(logits, labels)

    def class_vectors(self) -> Tensor:
        """Return the (C, D) vectors with which embeddings are compared."""
        return self.proxies

    def own_lengths(self, labels: Tensor) -> Tensor | float:
        """Return the (B, 1) norms of the own class vectors."""
        lengths: Tensor = self.proxies[labels].norm(dim=1, keepdim=True)
        return lengths

    def _next_weight(self) -> Tensor:
        if self.training:
            self.steps.add_(1)
        return (1000.0 / (1.0 + 0.12 * snapshot_for_backward(self.steps).double())).clamp_min(self.lambda_min)


def widened(cosine: Tensor, margin: int) -> Tensor:
    """Return ψ: cos(mθ), continued so that it decreases on all of [0, π]; in each piece a polynomial of the cosine."""
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    turns = torch.zeros_like(cosine)
    for step in range(1, margin):
        turns = turns + (cosine < math.cos(step * math.pi / margin)).to(cosine.dtype)
    return (1 - 2 * (turns % 2)) * multiple - 2 * turns
