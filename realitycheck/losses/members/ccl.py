"""Center contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import snapshot_for_backward
from realitycheck.losses.parts.proxies import own_class


class CCL(Loss):
    r"""Contrast each embedding with moving averages of all classes, and attract it to that of its own class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{(s_{i y_i} - m) / T}}{e^{(s_{i y_i} - m) / T} +
    \sum_{c \neq y_i} e^{s_{ic} / T}} + \frac{\lambda}{B} \sum_i |\hat{x}_i - c_{y_i}|^2$$

    x̂ is the L2-normalised embedding, c the unit centers, and s their cosine similarity. In training, the centers of the
    batch's classes are updated before the comparison: `normalize(μ c + (1 - μ) batch mean)`, or the batch mean alone
    if the class occurs for the first time. Centers have no gradient; classes that have not occurred are excluded. Cai,
    Xiong and Tian (2023) maintain a bank of class centers, updated in real time, and contrast queries with it. This is
    a reconstruction, because no code is published. Our choices are the margin on the own class, the squared distance
    with a weight, the moving average and its order, and all constants.

    Args:
        margin: m, subtracted from the similarity to the own center, at least 0.
        temperature: T, above 0.
        center_weight: λ, at least 0.
        momentum: μ, weight of the old center in an update, in [0, 1).
        num_classes: C, the number of classes, each with one center.
        embedding_dim: D, the embedding dimensions.
    """

    acts_later = ("momentum",)
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
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, update the centers."""
        unit = functional.normalize(embeddings.to(self.centers.dtype), dim=1)
        own = own_class(labels, classes=len(self.centers))  # (B, C)
        if self.training:
            self._update(unit, own)
        centers = snapshot_for_backward(self.centers)
        logits = (unit @ centers.T - self.margin * own) / self.temperature
        contrast = functional.cross_entropy(logits.masked_fill(~(self.seen | own), -torch.inf), labels)
        return contrast + self.center_weight * (unit - centers[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def _update(self, unit: Tensor, own: Tensor) -> None:
        present = own.any(dim=0)
        mean = own.T.to(unit.dtype) @ unit / own.sum(dim=0).clamp_min(1)[:, None]  # (C, D)
        moved = torch.where(self.seen[:, None], self.momentum * self.centers + (1 - self.momentum) * mean, mean)
        self.centers.copy_(torch.where(present[:, None], functional.normalize(moved, dim=1), self.centers))
        self.seen.logical_or_(present)
