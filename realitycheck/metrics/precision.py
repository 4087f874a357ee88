"""Precision@k: the share of items of the query's class among its k nearest neighbours.

Every item with another one of its class is a query against all others; the score is the mean over queries (Manning,
Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 8.4). A query with fewer than k others of its
class cannot reach 1. Order and ties are those of `neighbors.search`; a query is not its own neighbour.
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


def precision_at_k(
    embeddings: Tensor | NDArray[np.floating[Any]],
    labels: Tensor | NDArray[np.integer[Any]],
    *,
    ks: Sequence[int],
    distance: str,
) -> dict[int, float]:
    """Return the exact precision@k in [0, 1] for each k of `ks`, computed on the device of the embeddings.

    A k above the number of other items includes all of them, as in `recall_at_k`: it is the precision among all others.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        ks: at least one integer, each at least 1.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: if an argument is invalid, or no two items share a class.
    """
    return precision_in_tiles(as_tensor(embeddings), as_tensor(labels), ks=ks, distance=distance, tiles=None)


def precision_in_tiles(
    embeddings: Tensor, labels: Tensor, *, ks: Sequence[int], distance: str, tiles: Tiles | None
) -> dict[int, float]:
    """Compute `precision_at_k` with the given tiles, which do not affect the result."""
    class_index, others = classes(embeddings, labels)
    most = largest_k(ks, items=len(class_index))
    wanted = torch.from_numpy(most * (others > 0)).to(embeddings.device)
    kind = torch.from_numpy(class_index).to(embeddings.device)
    hits = np.zeros(most, dtype=np.int64)
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kind, distance=distance, tiles=tiles):
        hits += (kind[block.nearest] == kind[block.query].unsqueeze(1)).sum(0).cpu().numpy()
    within, queries = hits.cumsum(), int((others > 0).sum())
    return {k: int(within[min(k, most) - 1]) / (queries * min(k, most)) for k in ks}
