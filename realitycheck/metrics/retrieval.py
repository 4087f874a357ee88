"""How well items find the others of their class: MAP@R, R-precision and precision at 1.

Every item is a query against all others. R is the number of other items of its class. With rel(i) = 1 where
the i-th nearest item has the query's class and P(i) the share of hits among the first i,

    MAP@R = (1 / R) · Σ_{i=1..R} P(i) · rel(i),    R-precision = P(R),    precision at 1 = P(1)

(Musgrave, Belongie and Lim, A Metric Learning Reality Check, ECCV 2020, section 3.2).

Ties go to the lower item number. A tie is one of the float64 keys of `points`: equal rows tie for certain, while
equal cosines of vectors of different lengths may round apart, and then the lower key comes first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.shortlist import Tiles
from realitycheck.metrics.queries import as_tensor, classes


@dataclass(frozen=True, slots=True)
class Scores:
    """Retrieval scores in [0, 1], means over queries.

    Args:
        map_at_r: mean average precision at R.
        r_precision: R-precision.
        precision_at_1: share of queries whose nearest item has their class.
        map_at_r_per_class: MAP@R of each class with a query, in the order of the labels, to 6 decimals.
        queries: items with at least one other item of their class.
        singletons: items without; they are no queries, but every query can find them.
    """

    map_at_r: float
    r_precision: float
    precision_at_1: float
    map_at_r_per_class: tuple[float, ...]
    queries: int
    singletons: int

    def to_json(self) -> dict[str, Any]:
        """The scores as a score record holds them."""
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
    """MAP@R, R-precision and precision at 1, each in [0, 1], of embeddings as tensors or arrays.

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
    found = scores(as_tensor(embeddings), as_tensor(labels), distance=distance)
    return {
        "map_at_r": found.map_at_r,
        "r_precision": found.r_precision,
        "precision_at_1": found.precision_at_1,
    }


def scores(embeddings: Tensor, labels: Tensor, *, distance: str) -> Scores:
    """Retrieval scores of (N, D) embeddings with (N,) integer labels, by `cosine` or `euclidean` distance.

    Raises:
        InputError: the embeddings are not finite, the shapes do not fit, or no two items share a class.
    """
    return scores_in_tiles(embeddings, labels, distance=distance, tiles=None)


def scores_in_tiles(embeddings: Tensor, labels: Tensor, *, distance: str, tiles: Tiles | None) -> Scores:
    """`scores` with the work cut as `tiles` says, which moves no score."""
    kind, others = classes(embeddings, labels)
    queries = int((others > 0).sum())
    wanted, kinds = (torch.from_numpy(each).to(embeddings.device) for each in (others, kind))
    table = np.zeros((3, len(others)))
    for block in nearest_blocks(embeddings, wanted=wanted, kind=kinds, distance=distance, tiles=tiles):
        query, nearest = block.query.cpu().numpy(), block.nearest.cpu().numpy()
        table[:, query] = _of_queries(kind[nearest] == kind[query, None], others[query, None])
    map_at_r, r_precision, precision_at_1 = (math.fsum(row) / queries for row in table.tolist())
    per_class = _per_class(table[0], kind)
    return Scores(map_at_r, r_precision, precision_at_1, per_class, queries, len(others) - queries)


def _of_queries(
    same: NDArray[np.bool_], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The three scores of q queries, from (q, k) hits in the order of distance and (q, 1) R."""
    rank = np.arange(1, same.shape[1] + 1)
    hit = same & (rank <= wanted)
    found = hit.cumsum(1)
    precision = (found * hit / rank).cumsum(1)  # cumsum adds in one order, whatever the width of the block
    return precision[:, -1] / wanted[:, 0], found[:, -1] / wanted[:, 0], hit[:, 0].astype(np.float64)


def _per_class(values: NDArray[np.float64], kind: NDArray[np.int64]) -> tuple[float, ...]:
    order = np.argsort(kind, kind="stable")
    parts = np.split(values[order], np.flatnonzero(np.diff(kind[order])) + 1)
    return tuple(round(math.fsum(part) / len(part), 6) for part in parts if len(part) > 1)
