"""Spearman's rank correlation of two columns."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's ρ; None below three pairs or where a column is constant.

    Source: Spearman (1904), Am. J. Psychol. 15:72.
    """
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(stats.spearmanr(first, second).statistic)
