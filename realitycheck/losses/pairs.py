"""Pairs of a batch as masks and matrices: static shapes, no index lists."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss

SMALLEST_SQUARE = 1e-12
"""Below it a squared distance counts as it: the square root has no finite slope at 0."""

SMALL = 2**20
"""Up to so many differences B·M·D are held at once (4 MB); above, distances take O(B·M) memory."""


class PairLoss(Loss):
    """A loss that compares anchors with others: the batch with itself, or with a memory of earlier batches."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        points = self.points(embeddings)
        return self.between(points, points, *pair_masks(labels))

    def points(self, embeddings: Tensor) -> Tensor:
        """(B, D) what is compared: the L2-normalised embeddings, unless a loss says otherwise."""
        return functional.normalize(embeddings, dim=1)

    @abstractmethod
    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D), both as `points` gives them.

        Args:
            anchors: (B, D).
            others: (M, D); the anchors themselves, or points of other images.
            positive: (B, M) bool, pairs of one class; never an item with itself.
            negative: (B, M) bool, pairs of two classes. A pair may be in neither mask.

        Returns:
            A scalar.
        """


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Two (B, B) bool masks: same class but not the item itself, and different class."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def distances(anchors: Tensor, others: Tensor) -> Tensor:
    """(B, M) Euclidean distances of (B, D) and (M, D) points, at least 1e-6.

    By differences, or by products in float64 where those would fill the memory, and never by `2 - 2·cos` in float32,
    which loses half the digits where two points nearly agree.
    """
    if len(anchors) * others.numel() > SMALL:
        a, b = anchors.double(), others.double()
        square = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1) - 2 * a @ b.T
        return square.clamp_min(SMALLEST_SQUARE).sqrt().to(anchors.dtype)
    square = (anchors[:, None] - others[None, :]).square().sum(dim=2)
    return square.clamp_min(SMALLEST_SQUARE).sqrt()


def masked_logsumexp(exponents: Tensor, mask: Tensor) -> Tensor:
    """(B,) `log Σ e^x` of each row under the mask; -∞, without a gradient, where the mask is empty."""
    some = mask.any(dim=1)
    masked = exponents.masked_fill(~mask, -torch.inf)
    # A row of -∞ alone would give NaN gradients: it is summed as zeros, and its value put right afterwards.
    total = masked.masked_fill(~some[:, None], 0.0).logsumexp(dim=1)
    return total.masked_fill(~some, -torch.inf)


def log_one_plus_sum_exp(exponents: Tensor, mask: Tensor) -> Tensor:
    """(B,) `log(1 + Σ e^x)` of each row under the mask; 0 where the mask is empty."""
    masked = exponents.masked_fill(~mask, -torch.inf)
    one = exponents.new_zeros((len(exponents), 1))
    return torch.cat([one, masked], dim=1).logsumexp(dim=1)


def mean_where(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean of the terms under the mask; 0 where the mask is empty."""
    return torch.where(mask, terms, torch.zeros_like(terms)).sum() / mask.sum().clamp_min(1)


def mean_nonzero(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean of the terms above 0 under the mask; 0 where there is none."""
    return mean_where(terms, mask & (terms > 0))
