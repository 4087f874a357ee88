"""The means of searches, and the variances between and within them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from realitycheck.statistics.base import LossScores, by_search, present
from realitycheck.statistics.intervals import mean_of

FLAG_LEVEL = 0.05
"""Level of Cochran's test."""


@dataclass(frozen=True, slots=True)
class SearchMeans:
    """The mean score of every search.

    Args:
        means: label → one mean per search, of the losses with a score in every search.
        complete: labels of the losses with all their scores, which enter the pools.
        seeds: pooled variance of a score within searches, over the complete losses; None with one replicate a search.
        share: replicates per search.
        searches: searches per loss.
    """

    means: Mapping[str, tuple[float, ...]]
    complete: tuple[str, ...]
    seeds: float | None
    share: int
    searches: int

    @classmethod
    def of(cls, scores: Mapping[str, LossScores], *, searches: int) -> SearchMeans:
        """Collect the means of all losses."""
        rows = {label: by_search(own.replicates, searches=searches) for label, own in scores.items()}
        known = {label: [present(row) for row in matrix] for label, matrix in rows.items()}
        means = {label: tuple(map(mean_of, matrix)) for label, matrix in known.items() if all(matrix)}
        complete = tuple(label for label in means if None not in scores[label].replicates)
        share = max((len(own.replicates) // searches for own in scores.values()), default=0)
        return cls(means, complete, _within([row for label in complete for row in known[label]]), share, searches)

    def mean(self, label: str) -> float:
        """Return the mean over the searches of a loss."""
        return mean_of(self.means[label])

    @property
    def pool(self) -> NDArray[np.float64]:
        """The means of the complete losses, (L, M)."""
        return np.array([self.means[label] for label in self.complete]).reshape(-1, self.searches)


@dataclass(frozen=True, slots=True)
class BetweenSearches:
    """Variances of the mean of one search around that of its loss.

    Args:
        total: s_w², with what all losses share in a search.
        own: s_i², without it; NaN for a single loss.
        freedom: degrees of freedom of `total`, by Satterthwaite's approximation.
        losses: L, losses in the pool.
        searches: M, searches per loss.
    """

    total: float
    own: float
    freedom: float
    losses: int
    searches: int


def between_searches(pool: NDArray[np.float64]) -> BetweenSearches | None:
    """Return the variances between the searches of the losses of a pool (L, M); None if it is too small.

    Source: Satterthwaite (1946), Biometrics Bulletin 2:110, for the degrees of freedom of
    s_w² = (MS_h + (L − 1) s_i²) / L, a sum of two independent mean squares.
    """
    losses, searches = pool.shape
    if losses < 1 or searches < 2:
        return None
    deviations = pool - pool.mean(axis=1, keepdims=True)
    total = float((deviations**2).sum()) / (losses * (searches - 1))
    if losses == 1:
        return BetweenSearches(total, math.nan, searches - 1, losses, searches)
    shared = deviations.mean(axis=0)
    mean_square = losses * float((shared**2).sum()) / (searches - 1)
    own = float(((deviations - shared) ** 2).sum()) / ((losses - 1) * (searches - 1))
    parts = mean_square**2 / (searches - 1) + (losses - 1) * own**2 / (searches - 1)
    freedom = (mean_square + (losses - 1) * own) ** 2 / parts if parts else float(losses * (searches - 1))
    return BetweenSearches(total, own, freedom, losses, searches)


def unusual(squares: Mapping[str, float], *, searches: int) -> frozenset[str]:
    """Return the label with a variance between searches too large for its share of the sum; empty below four losses.

    Args:
        squares: label → sum of squared deviations of its searches.
        searches: M, searches per loss.

    Source: Cochran (1941), Annals of Eugenics 11:47.
    """
    count, total = len(squares), math.fsum(squares.values())
    if count < 4 or total == 0:
        return frozenset()
    label = max(squares, key=lambda name: squares[name])
    edge = special.betainccinv((searches - 1) / 2, (count - 1) * (searches - 1) / 2, FLAG_LEVEL / count)
    return frozenset({label} if squares[label] / total > edge else ())


def _within(rows: list[list[float]]) -> float | None:
    """Pool the variances of rows of equal length; None without degrees of freedom."""
    freedom = sum(len(row) - 1 for row in rows)
    if not freedom:
        return None
    return math.fsum((value - mean_of(row)) ** 2 for row in rows for value in row) / freedom
