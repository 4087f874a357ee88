"""The whole order of all items, for a few queries."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from realitycheck.metrics.neighbors.points import prepare


def ranked(embeddings: Tensor, *, queries: Sequence[int], distance: str) -> Tensor:
    """Return the (q, N - 1) int64 numbers of all other items for each query, nearest first.

    The order is that of the scores: by the exact float64 keys of `points`, ties by lower item number.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        queries: item numbers.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: if the embeddings or the distance are invalid.
    """
    points = prepare(embeddings, distance=distance)
    items = torch.arange(len(points), device=points.exact.device)
    rows = []
    for query in queries:
        others = items[items != query]
        keys = points.keys(torch.full_like(others, query), others)
        rows.append(others[keys.argsort(stable=True)])
    return torch.stack(rows)
