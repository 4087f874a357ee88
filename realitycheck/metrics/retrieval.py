"""Retrieval scores: MAP@R, R-precision and precision at 1.

Every item is a query against all others. R is the number of other items of its class. With rel(i) = 1 where
the i-th nearest item has the query's class and P(i) the share of hits among the first i,

    MAP@R = (1 / R) · Σ_{i=1..R} P(i) · rel(i),    R-precision = P(R),    precision at 1 = P(1)

(Musgrave, Belongie and Lim, A Metric Learning Reality Check, ECCV 2020, section 3.2).

Ties go to the lower item number. Items tie if their float64 keys of `neighbors.points` are equal. Equal rows always
tie; equal cosines of vectors of different norms can differ by rounding, and then the lower key comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.queries import as_tensor, classes


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Retrieval scores in [0, 1], means over queries.

    Args:
        map_at_r: mean average precision at R.
        r_precision: R-precision.
        precision_at_1: share of queries with a nearest item of their class.
        map_at_r_per_class: MAP@R of each class with a query, in the order of the labels, to 6 decimals.
        queries: number of items with at least one other item of their class.
        singletons: number of the other items; they are not queries, but neighbours of queries.
    """

    map_at_r: float
    r_precision: float
    precision_at_1: float
    map_at_r_per_class: tuple[float, ...]
    queries: int
    singletons: int

    def to_json(self) -> dict[str, Any]:
        """Return the scores in the form of a score record."""
        return {
            "map_at_r": self.map_at_r,
            "r_precision": self.r_precision,
            "precision_at_1": self.precision_at_1,
            "map_at_r_per_class": list(self.map_at_r_per_class),
        }


def retrieval_scores(
    embeddings: Tensor | NDArray[np.floating[Any]],
    labels: Tensor | NDArray[np.integer[Any]],
    *,
    distance: str,
) -> dict[str, float]:
    """Return MAP@R, R-precision and precision at 1, each in [0, 1].

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: one of these does not hold, or no two items share a class.

    Example:
        Three items of one class on a line, at 0, 1 and 3, and one of another class at 2.2. Each of the three has R = 2;
        the last one shares its class with no item, so it is no query.

        >>> import numpy as np
        >>> from realitycheck import metrics
        >>> scores = metrics.retrieval_scores(
        ...     np.array([[0.0], [1.0], [3.0], [2.2]]), np.array([0, 0, 0, 1]), distance="euclidean"
        ... )
        >>> {name: round(value, 4) for name, value in scores.items()}
        {'map_at_r': 0.4167, 'r_precision': 0.5, 'precision_at_1': 0.6667}
    """
    result = scores(as_tensor(embeddings), as_tensor(labels), distance=distance)
    return {
        "map_at_r": result.map_at_r,
        "r_precision": result.r_precision,
        "precision_at_1": result.precision_at_1,
    }


def scores(
    embeddings: Tensor, labels: Tensor, *, distance: str, between: Callable[[], None] | None = None
) -> RetrievalScores:
    """Compute the retrieval scores of (N, D) embeddings with (N,) integer labels.

    `between` is called after each block of queries.

    Raises:
        InputError: if an argument is invalid, or no two items share a class.
    """
    return scores_in_tiles(embeddings, labels, distance=distance, tiles=None, between=between)


def scores_in_tiles(
    embeddings: Tensor,
    labels: Tensor,
    *,
    distance: str,
    tiles: Tiles | None,
    between: Callable[[], None] | None = None,
) -> RetrievalScores:
    """Compute `scores` with the given tiles, which do not affect the result."""
    class_index, others = classes(embeddings, labels)
    queries = int((others > 0).sum())
    wanted, kind = (torch.from_numpy(values).to(embeddings.device) for values in (others, class_index))
    table = np.zeros((3, len(others)))
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kind, distance=distance, tiles=tiles):
        query, nearest = block.query.cpu().numpy(), block.nearest.cpu().numpy()
        same = class_index[nearest] == class_index[query, None]
        table[:, query] = _of_queries(same, others[query, None])
        if between is not None:
            between()
    map_at_r, r_precision, precision_at_1 = (math.fsum(row) / queries for row in table.tolist())
    per_class = _per_class(table[0], class_index)
    return RetrievalScores(map_at_r, r_precision, precision_at_1, per_class, queries, len(others) - queries)


def _of_queries(
    same: NDArray[np.bool_], others: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the three scores of q queries, from (q, k) hits sorted by distance and (q, 1) R."""
    rank = np.arange(1, same.shape[1] + 1)
    hit = same & (rank <= others)
    hits = hit.cumsum(1)
    precision = (hits * hit / rank).cumsum(1)  # the order of additions of cumsum does not depend on the block's width
    return precision[:, -1] / others[:, 0], hits[:, -1] / others[:, 0], hit[:, 0].astype(np.float64)


def _per_class(values: NDArray[np.float64], class_index: NDArray[np.int64]) -> tuple[float, ...]:
    order = np.argsort(class_index, kind="stable")
    parts = np.split(values[order], np.flatnonzero(np.diff(class_index[order])) + 1)
    return tuple(round(math.fsum(part) / len(part), 6) for part in parts if len(part) > 1)
