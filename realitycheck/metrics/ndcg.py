"""Normalised discounted cumulative gain over the R nearest neighbours (nDCG@R), with binary relevance.

R is the number of other items of the query's class. With rel(i) = 1 where the i-th nearest item has that class, and
else 0,

    nDCG@R = Σ_{i=1..R} rel(i) / log₂(i + 1)  /  Σ_{i=1..R} 1 / log₂(i + 1)

(Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, ACM Transactions on Information Systems
20(4), 2002). The discount of rank i is that of scikit-learn and of Burges et al. (ICML 2005); the paper has log₂ i, and
none for rank 1. The score is the mean over queries, which are the items with at least one other item of their class.
Order and ties are those of `neighbors.search`; a query is not its own neighbour.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.queries import as_tensor, classes


def ndcg_at_r(
    embeddings: Tensor | NDArray[np.floating[Any]], labels: Tensor | NDArray[np.integer[Any]], *, distance: str
) -> float:
    """Return the exact nDCG@R in [0, 1], with neighbours computed on the device of the embeddings.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: if an argument is invalid, or no two items share a class.
    """
    return ndcg_in_tiles(as_tensor(embeddings), as_tensor(labels), distance=distance, tiles=None)


def ndcg_in_tiles(embeddings: Tensor, labels: Tensor, *, distance: str, tiles: Tiles | None) -> float:
    """Compute `ndcg_at_r` with the given tiles, which do not affect the result."""
    class_index, others = classes(embeddings, labels)
    wanted, kind = (torch.from_numpy(values).to(embeddings.device) for values in (others, class_index))
    gains = np.array([1 / math.log2(rank + 1) for rank in range(1, int(others.max()) + 1)])
    ideal, scores = gains.cumsum(), np.zeros(len(others))
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kind, distance=distance, tiles=tiles):
        query, nearest = block.query.cpu().numpy(), block.nearest.cpu().numpy()
        rank = np.arange(1, nearest.shape[1] + 1)
        hit = (class_index[nearest] == class_index[query, None]) & (rank <= others[query, None])
        gained = (hit * gains[: len(rank)]).cumsum(1)[:, -1]  # adds in the order of `ideal`, so that all hits give 1
        scores[query] = gained / ideal[others[query] - 1]
    return math.fsum(scores.tolist()) / int((others > 0).sum())
