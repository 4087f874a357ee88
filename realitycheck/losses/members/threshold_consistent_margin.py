"""Threshold-consistent margin for a loss on pairs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import PairLoss, pair_masks


class ThresholdConsistentMargin(Loss):
    r"""Add two margins of similarity that are the same for every class to a loss on pairs.

    $$L = L_{base} + \lambda^{+} \frac{\sum_{s_p \leq m^{+}} (m^{+} - s_p)}{\left| \{ s_p \leq m^{+} \} \right|}
    + \lambda^{-} \frac{\sum_{s_n \geq m^{-}} (s_n - m^{-})}{\left| \{ s_n \geq m^{-} \} \right|}$$

    Over positive pairs of similarity s_p and negative pairs of similarity s_n of the batch; a term without a pair is 0.
    Only hard pairs count: positive pairs that are less similar than m⁺, and negative pairs that are more similar than
    m⁻. So one threshold of similarity serves all classes better. Zhang, Xu, Tang, Fang, Wu, Tighe and Xing (2024),
    Threshold-Consistent Margin Loss for Open-World Deep Metric Learning (ICLR).

    Args:
        base: the loss on pairs.
        positive_weight: λ⁺, at least 0.
        negative_weight: λ⁻, at least 0. With both weights 0 the loss is the base loss.
        positive_threshold: m⁺, a cosine similarity.
        negative_threshold: m⁻, a cosine similarity.
    """

    def __init__(
        self,
        *,
        base: PairLoss,
        positive_weight: float,
        negative_weight: float,
        positive_threshold: float,
        negative_threshold: float,
    ) -> None:
        super().__init__()
        self.base = base
        self.positive_weight = positive_weight
        self.negative_weight = negative_weight
        self.positive_threshold = positive_threshold
        self.negative_threshold = negative_threshold

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,)."""
        points = functional.normalize(embeddings, dim=1)
        similarity = points @ points.T
        positive, negative = pair_masks(labels)
        near = mean_beyond(self.positive_threshold - similarity, positive)
        far = mean_beyond(similarity - self.negative_threshold, negative)
        value: Tensor = self.base(embeddings, labels)
        return value + self.positive_weight * near + self.negative_weight * far


def mean_beyond(excess: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the terms under the mask that are at least 0, or 0 where there are none."""
    hard = mask & (excess >= 0)
    return torch.where(hard, excess, torch.zeros_like(excess)).sum() / hard.sum().clamp_min(1)
