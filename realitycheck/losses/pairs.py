"""Pairs of a batch as masks and matrices: static shapes, no index lists."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SMALLEST_SQUARE = 1e-12
"""Below it a squared distance counts as it: the square root has no finite slope at 0."""


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Two (B, B) bool masks: same class but not the item itself, and different class."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def similarities(embeddings: Tensor) -> Tensor:
    """(B, B) cosine similarities of (B, D) embeddings."""
    unit = functional.normalize(embeddings, dim=1)
    return unit @ unit.T


def distances(embeddings: Tensor) -> Tensor:
    """(B, B) Euclidean distances of the L2-normalised (B, D) embeddings, in [0, 2].

    By differences and not by `2 - 2·cos`, which loses half the digits where two embeddings nearly agree.
    """
    unit = functional.normalize(embeddings, dim=1)
    square = (unit[:, None] - unit[None, :]).square().sum(dim=2)
    return square.clamp_min(SMALLEST_SQUARE).sqrt()


def mean_nonzero(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean of the terms above 0 under the mask; 0 where there is none."""
    counted = mask & (terms > 0)
    total = torch.where(counted, terms, torch.zeros_like(terms)).sum()
    return total / counted.sum().clamp_min(1)
