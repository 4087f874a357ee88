"""Center contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import held
from realitycheck.losses.parts.proxies import own_class


class CCL(Loss):
    r"""Contrast each embedding with a running center of every class, and pull it to its own.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{(s_{i y_i} - m) / T}}{e^{(s_{i y_i} - m) / T} +
    \sum_{c \neq y_i} e^{s_{ic} / T}} + \frac{\lambda}{B} \sum_i |\hat{x}_i - c_{y_i}|^2$$

    x̂ is the L2-normalised embedding, c the unit centers, and s their cosine similarity. In training, the centers of the
    batch's classes move before they are compared: `normalize(μ c + (1 - μ) batch mean)`, the batch's mean
    alone where the class comes for the first time. Centers carry no gradient; those of classes not yet seen are left
    out. Cai, Xiong and Tian (2023) maintain a bank of class centers, updated in real time, and contrast queries with
    it. A reconstruction: no code is published. Uncertain, and chosen here: the margin on the own class, the squared
    pull with a weight, the running mean as update, its order, and all constants.

    Args:
        margin: m, taken from the similarity to the own center, from 0.
        temperature: T, above 0.
        center_weight: λ, from 0.
        momentum: μ, what a center keeps of itself in an update, from 0 to below 1.
        num_classes: C, one center each.
        embedding_dim: D.
    """

    centers: Tensor
    seen: Tensor

    def __init__(
        self,
        *,
        margin: float,
        temperature: float,
        center_weight: float,
        momentum: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.temperature = temperature
        self.center_weight = center_weight
        self.momentum = momentum
        self.register_buffer("centers", functional.normalize(torch.randn(num_classes, embedding_dim), dim=1))
        self.register_buffer("seen", torch.zeros(num_classes, dtype=torch.bool))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, centers move."""
        unit = functional.normalize(embeddings.to(self.centers.dtype), dim=1)
        own = own_class(labels, classes=len(self.centers))  # (B, C)
        if self.training:
            self._move(unit, own)
        centers = held(self.centers)
        logits = (unit @ centers.T - self.margin * own) / self.temperature
        contrast = functional.cross_entropy(logits.masked_fill(~(self.seen | own), -torch.inf), labels)
        return contrast + self.center_weight * (unit - centers[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def _move(self, unit: Tensor, own: Tensor) -> None:
        here = own.any(dim=0)
        mean = own.T.to(unit.dtype) @ unit / own.sum(dim=0).clamp_min(1)[:, None]  # (C, D)
        kept = torch.where(self.seen[:, None], self.momentum * self.centers + (1 - self.momentum) * mean, mean)
        self.centers.copy_(torch.where(here[:, None], functional.normalize(kept, dim=1), self.centers))
        self.seen.logical_or_(here)
