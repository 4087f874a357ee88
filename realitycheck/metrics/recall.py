"""Recall@k: the share of queries with an item of their class among their k nearest neighbours.

Every item with another one of its class is a query against all others (Oh Song et al., Deep Metric Learning via
Lifted Structured Feature Embedding, CVPR 2016). Recall@1 equals precision at 1. Order and ties are those of
`neighbors.search`; a query is not its own neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.queries import as_tensor, classes, largest_k


def recall_at_k(
    embeddings: Tensor | NDArray[np.floating[Any]],
    labels: Tensor | NDArray[np.integer[Any]],
    *,
    ks: Sequence[int],
    distance: str,
) -> dict[int, float]:
    """Return the exact recall@k in [0, 1] for each k of `ks`, computed on the device of the embeddings.

    A k above the number of other items includes all of them, so its recall is 1. It is not an error, because it would
    end a study after all its trainings although the value is well defined.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        ks: at least one integer, each at least 1.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: if an argument is invalid, or no two items share a class.
    """
    return recall_in_tiles(as_tensor(embeddings), as_tensor(labels), ks=ks, distance=distance, tiles=None)


def recall_in_tiles(
    embeddings: Tensor, labels: Tensor, *, ks: Sequence[int], distance: str, tiles: Tiles | None
) -> dict[int, float]:
    """Compute `recall_at_k` with the given tiles, which do not affect the result."""
    class_index, others = classes(embeddings, labels)
    most = largest_k(ks, items=len(class_index))
    wanted = torch.from_numpy(most * (others > 0)).to(embeddings.device)
    kind = torch.from_numpy(class_index).to(embeddings.device)
    first_hits = np.zeros(most, dtype=np.int64)
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kind, distance=distance, tiles=tiles):
        first_hits += _first_hits(kind[block.nearest] == kind[block.query].unsqueeze(1))
    shares = first_hits.cumsum() / int((others > 0).sum())
    return {k: float(shares[min(k, most) - 1]) for k in ks}


def _first_hits(same: Tensor) -> NDArray[np.int64]:
    """Return (k,) the number of queries with their first hit at each rank, from (q, k) hits sorted by distance."""
    rank = same.int().argmax(1)[same.any(1)]  # argmax returns the first of equal values
    return rank.bincount(minlength=same.shape[1]).cpu().numpy()
