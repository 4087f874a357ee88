"""How far embeddings are from the vector of their own class, for losses with one vector per class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-12
"""Least norm by which a row is divided, the default of `functional.normalize`."""


def class_vectors_of(loss: nn.Module, *, classes: int, dims: int) -> Tensor | None:
    """Return the class vectors (C, D) of a loss, or None where it has not one learned vector per class.

    They are the parameter `proxies` of the loss or of the loss that it wraps. A loss with several vectors per class has
    another number of rows, and none of them is its class's own.
    """
    for name, parameter in loss.named_parameters():
        if name.rpartition(".")[2] == "proxies" and parameter.shape == (classes, dims):
            return parameter
    return None


@torch.no_grad()
def own_distance(embeddings: Tensor, labels: Tensor, vectors: Tensor, *, distance: str) -> Tensor:
    """Return the mean distance between embeddings (B, D) and the vectors (C, D) of their own classes, as a scalar.

    DeMoor and Prevost (2024), Eq. 9, the "distance to proxy": ‖x − p_y‖ of embeddings as they are. Where the loss
    declares the cosine distance, both are L2-normalised first, so that the value is in [0, 2] and does not depend on
    lengths that the loss does not compare.

    The squares are summed in float64, in which they cannot overflow; nothing is copied to the host.
    """
    own = vectors[labels].to(embeddings.dtype)
    if distance == "cosine":
        embeddings, own = _unit(embeddings), _unit(own)
    mean: Tensor = torch.linalg.vector_norm(embeddings - own, dim=1, dtype=torch.float64).mean()
    return mean


def _unit(rows: Tensor) -> Tensor:
    """Return (B, D) rows with norm 1: the operations of `functional.normalize`, without the cost of its calls."""
    unit: Tensor = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp_min_(EPSILON)
    return unit
