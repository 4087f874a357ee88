"""Similarities and distances of embeddings to learned class vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pair_distances import SMALLEST_SQUARE


def cosines(embeddings: Tensor, proxies: Tensor) -> Tensor:
    """Return the (B, C) cosine similarities of (B, D) embeddings and (C, D) class vectors."""
    unit = functional.normalize(embeddings, dim=1)
    return unit @ functional.normalize(proxies, dim=1).to(unit.dtype).T


def own_class(labels: Tensor, *, classes: int) -> Tensor:
    """Return a (B, C) bool mask of each item's own class."""
    return labels[:, None] == torch.arange(classes, device=labels.device)


def euclidean(embeddings: Tensor, proxies: Tensor) -> Tensor:
    """Return the (B, C) Euclidean distances of embeddings (B, D) and class vectors (C, D), at least 1e-6."""
    proxies = proxies.to(embeddings.dtype)
    square = embeddings.square().sum(dim=1)[:, None] + proxies.square().sum(dim=1) - 2 * embeddings @ proxies.T
    return square.clamp_min(SMALLEST_SQUARE).sqrt()
