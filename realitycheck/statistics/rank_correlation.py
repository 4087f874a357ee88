"""Spearman's rank correlation of two columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's ρ; None below three pairs or where a column is constant.

    Source: Spearman (1904), Am. J. Psychol. 15:72.
    """
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    ranks = np.column_stack([_ranks(first), _ranks(second)])
    return float(np.asarray(np.corrcoef(ranks, rowvar=False))[1, 0])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share their mean rank. `scipy.stats` has the same, and takes a second to import."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last: NDArray[np.int64] = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[places]
    return ranks
