"""MagFace loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class

SMALLEST_SQUARE = 1e-12
"""Lower bound on the squared sine, because the square root has no finite derivative at 0."""


class MagFace(Loss):
    r"""Add a margin to the own angle that increases with the embedding's norm, and reward a large norm.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s \cos(\theta_i + m(a_i))}}{e^{s \cos(\theta_i + m(a_i))} +
    \sum_{c \neq y_i} e^{s \cos\theta_{ic}}} + \frac{\lambda}{B} \sum_i \left( \frac{1}{a_i} + \frac{a_i}{u^2} \right),
    \quad m(a) = l_m + g \, \frac{a - l}{u - l}$$

    θ_ic is the angle between embedding and class vector, θ_i that of the own class, and a the embedding's norm, clamped
    to [l, u]. If cos θ_i is not above 0, there is no margin ("easy margin"), as in the authors' runs. Meng, Zhao,
    Huang and Zhou (2021), as in the authors' code (IrvingMeng/MagFace). A norm outside [l, u] has no gradient, so l
    and u must fit the norms of the embedder. With g = 0 and λ = 0 the loss is ArcFace wherever cos θ_i is above 0.
    Difference: margins are in degrees, as in `arcface`, where the paper has radians.

    Args:
        lower_margin: l_m, margin at norm l, in degrees, at least 0.
        margin_gap: g, by which the margin at norm u is larger, in degrees, at least 0.
        lower_norm: l, above 0.
        upper_norm: u, above l.
        norm_weight: λ, at least 0.
        scale: s, above 0.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    # l and u bound a length. The reward 1/a + a/u² has power -1 and is added to an entropy: λ, its weight, has power 1.
    lengths: ClassVar[Mapping[str, int]] = {"lower_norm": 1, "upper_norm": 1, "norm_weight": 1}

    def __init__(
        self,
        *,
        lower_margin: float,
        margin_gap: float,
        lower_norm: float,
        upper_norm: float,
        norm_weight: float,
        scale: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        self.lower_margin = math.radians(lower_margin)
        self.margin_gap = math.radians(margin_gap)
        self.lower_norm = lower_norm
        self.upper_norm = upper_norm
        self.norm_weight = norm_weight
        self.scale = scale
        drawn = torch.empty(num_classes, embedding_dim).uniform_(-1, 1)
        self.proxies = nn.Parameter(functional.normalize(drawn, dim=1))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        points = embeddings.to(self.proxies.dtype)
        length = points.norm(dim=1, keepdim=True).clamp(self.lower_norm, self.upper_norm)  # (B, 1)
        cosine = cosines(points, self.proxies)  # (B, C)
        with_margin = self._add_margin(cosine.gather(1, labels[:, None]), length)
        logits = self.scale * torch.where(own_class(labels, classes=len(self.proxies)), with_margin, cosine)
        reward: Tensor = (1 / length + length / self.upper_norm**2).mean()
        return functional.cross_entropy(logits, labels) + self.norm_weight * reward

    def _add_margin(self, cosine: Tensor, length: Tensor) -> Tensor:
        rise = (length - self.lower_norm) / (self.upper_norm - self.lower_norm)
        margin = self.lower_margin + self.margin_gap * rise
        sine = (1 - cosine.square()).clamp_min(SMALLEST_SQUARE).sqrt()
        with_margin: Tensor = cosine * margin.cos() - sine * margin.sin()
        return torch.where(cosine > 0, with_margin, cosine)
