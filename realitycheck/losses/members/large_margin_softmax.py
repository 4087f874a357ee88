"""Large-margin softmax loss."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import held
from realitycheck.losses.parts.proxies import own_class

SMALLEST = 1e-12
"""A length below it divides as it: the zero vector has no direction."""


class LargeMarginSoftmax(Loss):
    r"""Classify linearly, but let the angle to the own class vector count m-fold.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{f_i}}{e^{f_i} + \sum_{c \neq y_i} e^{w_c \cdot x_i}}, \quad
    f_i = |w_{y_i}| |x_i| \frac{\lambda \cos\theta_i + \psi(\theta_i)}{1 + \lambda}, \quad
    \psi(\theta) = (-1)^k \cos(m\theta) - 2k$$

    θ_i is the angle between embedding x_i and its class vector w, both as they are, and k the number of whole steps of
    π/m in it. λ falls with the training step t from 1000: `max(lambda_min, 1000 / (1 + 0.12 t))`, t from 1. Liu, Wen,
    Yu and Yang (2016), Eq. 4 to 7, and its annealing; with m = 1 the plain softmax without bias.
    Departures: the constants of the annealing are those that the authors published with SphereFace, as the paper has
    none; the gradient is the function's own, where the authors' layer rescales it. The class vectors keep the initial
    values of the authors' layer, as their length sets the scale of the logits.

    Args:
        margin: m, whole, from 1; the authors' layer has 1 to 4.
        lambda_min: what λ falls to, at least 0; the larger, the nearer to the plain softmax.
        num_classes: C, one class vector each.
        embedding_dim: D.
    """

    keeps_init: ClassVar[tuple[str, ...]] = ("proxies",)
    steps: Tensor

    def __init__(self, *, margin: int, lambda_min: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.lambda_min = lambda_min
        self.proxies = nn.Parameter(nn.init.kaiming_normal_(torch.empty(num_classes, embedding_dim)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1; counts a training step."""
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
        """(C, D) what embeddings are compared with."""
        return self.proxies

    def own_lengths(self, labels: Tensor) -> Tensor | float:
        """(B, 1) lengths of the own class vectors."""
        lengths: Tensor = self.proxies[labels].norm(dim=1, keepdim=True)
        return lengths

    def _next_weight(self) -> Tensor:
        if self.training:
            self.steps.add_(1)
        return (1000.0 / (1.0 + 0.12 * held(self.steps).double())).clamp_min(self.lambda_min)


def widened(cosine: Tensor, margin: int) -> Tensor:
    """ψ: cos(mθ), continued so that it falls over the whole of 0 ≤ θ ≤ π; a polynomial of the cosine in each piece."""
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    turns = torch.zeros_like(cosine)
    for step in range(1, margin):
        turns = turns + (cosine < math.cos(step * math.pi / margin)).to(cosine.dtype)
    return (1 - 2 * (turns % 2)) * multiple - 2 * turns
