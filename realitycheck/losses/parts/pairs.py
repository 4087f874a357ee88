"""Pairs of a batch as masks and matrices: static shapes, no index lists."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss


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


def hide(values: Tensor, mask: Tensor) -> Tensor:
    """The finite values where the mask is, and elsewhere ones so low that no maximum or sum of exponentials sees them.

    By adding: on a CPU at B = 256 it takes 0.1 ms, and `masked_fill` 0.25 ms each way.
    """
    return values + (mask.to(values.dtype) - 1) * _beyond(values)


def masked_logsumexp(exponents: Tensor, mask: Tensor) -> Tensor:
    """(B,) `log Σ e^x` of each row of finite exponents under the mask; -∞, without a gradient, where it is empty."""
    total = hide(exponents, mask).logsumexp(dim=1)
    return total.masked_fill(total < -_beyond(exponents) / 2, -torch.inf)


def log_one_plus_sum_exp(exponents: Tensor, mask: Tensor) -> Tensor:
    """(B,) `log(1 + Σ e^x)` of each row of finite exponents under the mask; 0 where it is empty."""
    one = exponents.new_zeros((len(exponents), 1))
    return torch.cat([one, hide(exponents, mask)], dim=1).logsumexp(dim=1)


def mean_where(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean of the finite terms under the mask; 0 where there is none."""
    return (terms * mask.to(terms.dtype)).sum() / mask.sum().clamp_min(1)


def mean_nonzero(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean of those of the finite terms under the mask that are not 0; 0 where there is none."""
    kept = terms * mask.to(terms.dtype)
    return kept.sum() / kept.count_nonzero().clamp_min(1)


def mean_of_anchors(terms: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the terms (B,) of the chosen anchors; 0 where there is none. Those of others may be infinite."""
    return torch.where(chosen, terms, torch.zeros_like(terms)).sum() / chosen.sum().clamp_min(1)


def _beyond(values: Tensor) -> float:
    return torch.finfo(values.dtype).max / 4
