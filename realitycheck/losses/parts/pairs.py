"""Pairs of a batch as masks and matrices of static shape."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss


class PairLoss(Loss):
    """Base class of a loss that compares anchors with others: the batch with itself, or with earlier batches."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,)."""
        points = self.points(embeddings)
        return self.between(points, points, *pair_masks(labels))

    def points(self, embeddings: Tensor) -> Tensor:
        """Return the (B, D) points to compare: by default the L2-normalised embeddings."""
        return functional.normalize(embeddings, dim=1)

    @abstractmethod
    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D), both from `points`.

        Args:
            anchors: (B, D).
            others: (M, D), the anchors themselves or points of other images.
            positive: (B, M) bool, pairs of one class, without pairs of an item with itself.
            negative: (B, M) bool, pairs of two classes. A pair can be in neither mask.

        Returns:
            A scalar.
        """


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return two (B, B) bool masks: same class without the item itself, and different class."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def hide(values: Tensor, mask: Tensor) -> Tensor:
    """Lower the finite values outside the mask so far that maxima and sums of exponentials ignore them.

    This is an addition, which at B = 256 takes 0.1 ms on a CPU; `masked_fill` takes 0.25 ms forward and backward each.
    """
    return values + (mask.to(values.dtype) - 1) * _beyond(values)


def masked_logsumexp(exponents: Tensor, mask: Tensor) -> Tensor:
    """Return (B,) `log Σ e^x` of each row of finite exponents under the mask; -∞ without a gradient if it is empty."""
    total = hide(exponents, mask).logsumexp(dim=1)
    return total.masked_fill(total < -_beyond(exponents) / 2, -torch.inf)


def log_one_plus_sum_exp(exponents: Tensor, mask: Tensor) -> Tensor:
    """Return (B,) `log(1 + Σ e^x)` of each row of finite exponents under the mask; 0 if it is empty."""
    one = exponents.new_zeros((len(exponents), 1))
    return torch.cat([one, hide(exponents, mask)], dim=1).logsumexp(dim=1)


def mean_nonzero(terms: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the nonzero finite terms under the mask; 0 if there are none."""
    kept = terms * mask.to(terms.dtype)
    return kept.sum() / kept.count_nonzero().clamp_min(1)


def mean_of_anchors(terms: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the terms (B,) of the chosen anchors; 0 if there are none. Other terms can be infinite."""
    return torch.where(chosen, terms, torch.zeros_like(terms)).sum() / chosen.sum().clamp_min(1)


def _beyond(values: Tensor) -> float:
    return torch.finfo(values.dtype).max / 4
