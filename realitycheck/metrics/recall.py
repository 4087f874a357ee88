"""Recall@k: the share of queries with an item of their class among their k nearest.

Every item with another one of its class is a query against all others (Oh Song et al., Deep Metric Learning via
Lifted Structured Feature Embedding, CVPR 2016). Recall@1 is precision at 1. Order and ties are those of `neighbors`,
and a query is never its own neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import InputError, Problem
from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.shortlist import Tiles
from realitycheck.metrics.queries import as_tensor, classes


def recall_at_k(
    embeddings: Tensor | NDArray[np.floating[Any]],
    labels: Tensor | NDArray[np.integer[Any]],
    *,
    ks: Sequence[int],
    distance: str,
) -> dict[int, float]:
    """Recall@k in [0, 1] for each k of `ks`, exact, in bounded memory, on the embeddings' own device.

    A k beyond the number of other items asks for all of them, so its recall is 1: refusing it would cost a study its
    trainings at the last step, over a number that is well defined.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        ks: at least one whole number, each 1 or more.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: one of these does not hold, or no two items share a class.
    """
    return recall_in_tiles(as_tensor(embeddings), as_tensor(labels), ks=ks, distance=distance, tiles=None)


def recall_in_tiles(
    embeddings: Tensor, labels: Tensor, *, ks: Sequence[int], distance: str, tiles: Tiles | None
) -> dict[int, float]:
    """`recall_at_k` with the work cut as `tiles` says, which moves no score."""
    if not ks or min(ks) < 1:
        raise InputError("recall at k", [Problem(0, "ks", f"must be whole numbers from 1; got {list(ks)}.")])
    kind, others = classes(embeddings, labels)
    most = min(max(ks), len(kind) - 1)
    wanted, kinds = (torch.from_numpy(each).to(embeddings.device) for each in (most * (others > 0), kind))
    found = np.zeros(most, dtype=np.int64)
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kinds, distance=distance, tiles=tiles):
        found += _first_hits(kinds[block.nearest] == kinds[block.query].unsqueeze(1))
    shares = found.cumsum() / int((others > 0).sum())
    return {k: float(shares[min(k, most) - 1]) for k in ks}


def _first_hits(same: Tensor) -> NDArray[np.int64]:
    """How many of q queries meet their class first at each rank, from (q, k) hits in the order of distance."""
    rank = same.int().argmax(1)[same.any(1)]  # of equal numbers argmax takes the first
    return rank.bincount(minlength=same.shape[1]).cpu().numpy()
