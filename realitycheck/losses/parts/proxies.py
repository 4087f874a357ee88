"""Similarities and distances of embeddings to learned class vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from realitycheck.losses.parts.pair_distances import SMALLEST_SQUARE

LEAST_LENGTH = 1e-12
"""Lower bound on the norm by which a row is divided, as in `torch.nn.functional.normalize`."""


def cosines(embeddings: Tensor, proxies: Tensor) -> Tensor:
    """Return the (B, C) cosine similarities of (B, D) embeddings and (C, D) class vectors."""
    similarity: Tensor = _Cosines.apply(embeddings, proxies)
    return similarity


class _Cosines(Function):
    """One node of autograd's graph: the record of two normalisations takes longer than all arithmetic at B = 32."""

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, proxies: Tensor) -> Tensor:
        length, its_length = (rows.norm(dim=1, keepdim=True).clamp_min_(LEAST_LENGTH) for rows in (embeddings, proxies))
        points, vectors = embeddings / length, (proxies / its_length).to(embeddings.dtype)
        similarity: Tensor = points @ vectors.T
        ctx.save_for_backward(points, vectors, length, its_length, similarity)
        return similarity

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:
        points, vectors, length, its_length, similarity = ctx.saved_tensors
        along = slope * similarity  # the parts along a row, which its normalisation takes away
        to_points = (slope @ vectors).addcmul_(points, along.sum(dim=1, keepdim=True), value=-1)
        to_vectors = (slope.T @ points).addcmul_(vectors, along.sum(dim=0)[:, None], value=-1)
        return to_points / length, to_vectors.to(its_length.dtype) / its_length


def own_class(labels: Tensor, *, classes: int) -> Tensor:
    """Return a (B, C) bool mask of each item's own class."""
    return labels[:, None] == torch.arange(classes, device=labels.device)


def euclidean(embeddings: Tensor, proxies: Tensor) -> Tensor:
    """Return the (B, C) Euclidean distances of embeddings (B, D) and class vectors (C, D), at least 1e-6."""
    proxies = proxies.to(embeddings.dtype)
    square = embeddings.square().sum(dim=1)[:, None] + proxies.square().sum(dim=1) - 2 * embeddings @ proxies.T
    return square.clamp_min(SMALLEST_SQUARE).sqrt()
