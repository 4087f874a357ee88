"""Intervals from the spread between the searches of a loss, pooled over all losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.statistics.base import Design, Estimator, Fit, LossScores, MeanEstimate, ReplicateScores, present
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.search_means import BetweenSearches, SearchMeans, between_searches, unusual

FEW = 3
"""Up to this number of losses the residual has too few degrees of freedom, and the total variance is used."""


@dataclass(frozen=True, slots=True)
class PooledFit(Fit):
    """One variance between searches for all losses."""

    means: SearchMeans
    between: BetweenSearches | None
    losses: int
    method: str
    over: str

    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean over searches, with the total variance between searches."""
        if self.between is None or label not in self.means.means:
            return None
        return self._estimate(self.means.mean(label), self.between.total / self.searches, self.between.freedom)

    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the difference, without the variance that all losses share in a search where there are enough."""
        if self.between is None or not {label, other} <= self.means.means.keys():
            return None
        variance, freedom = self._own()
        mean = self.means.mean(label) - self.means.mean(other)
        return self._estimate(mean, 2 * variance / self.searches, freedom) if freedom else None

    def above(self, label: str, untrained: ReplicateScores) -> MeanEstimate | None:
        """Return the difference from an untrained model, which no search has touched."""
        base, known = self.loss(label), present(untrained)
        if base is None or not known:
            return None
        mean, square = base.mean - mean_of(known), base.error**2
        if len(untrained) == 1:
            return self._estimate(mean, square, base.freedom)
        if len(known) < 2:
            return None
        seeds = math.fsum((value - mean_of(known)) ** 2 for value in known) / (len(known) - 1) / len(known)
        parts = square**2 / base.freedom + seeds**2 / (len(known) - 1)
        # Satterthwaite's freedom can exceed that of the loss alone; a second error would then narrow the interval.
        freedom = min(base.freedom, (square + seeds) ** 2 / parts) if parts else base.freedom
        return self._estimate(mean, square + seeds, freedom)

    @property
    def searches(self) -> int:
        """M, searches per loss."""
        return self.means.searches

    @property
    def disagreeing(self) -> frozenset[str]:
        """The loss with searches too far apart to share one variance with the others, by Cochran's test."""
        squares = {label: _square(self.means.means[label]) for label in self.means.complete}
        return unusual(squares, searches=self.searches)

    def _own(self) -> tuple[float, float]:
        """The variance of a difference's one side, and its degrees of freedom."""
        assert self.between is not None
        pooled, spare = self.between.losses, self.searches - 1
        if self.losses <= FEW:
            return self.between.total, pooled * spare
        return self.between.own, (pooled - 1) * spare

    def _estimate(self, mean: float, square: float, freedom: float) -> MeanEstimate:
        return MeanEstimate(mean, math.sqrt(square), freedom, n=self.searches, method=self.method, over=self.over)


class SearchesPooled(Estimator):
    """Student's t over searches, with the variance between the searches of a loss pooled over all losses.

    It assumes that all losses have equal luck in their searches.
    """

    method = "searches_pooled"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> PooledFit:
        """Pool the losses with all their scores."""
        means = SearchMeans.of(scores, searches=self.searches)
        return PooledFit(means, between_searches(means.pool), losses, self.method, self.over)

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return M independent values, with the degrees of freedom of all losses together."""
        spare = self.searches - 1
        freedom = losses * spare if losses <= FEW else (losses - 1) * spare
        return Design(self.searches, freedom, "the mean of one search")

    @property
    def over(self) -> str:
        """`searches and seeds`."""
        return "searches and seeds"

    @property
    def title(self) -> str:
        """`Student's t over searches, one variance for all losses`."""
        return "Student's t over searches, one variance for all losses"

    @property
    def of_scores(self) -> str:
        """One variance of scores for all losses."""
        return (
            "The ± of a score is one number for a column: the variance between searches is pooled over all losses, and "
            "includes what all losses have in common in a search. Differences have intervals of their own, so two ± "
            "cannot be combined."
        )

    def of_shared(self, *, losses: int) -> str:
        """Differences are free of it where there are enough losses to take it out."""
        if losses <= FEW:
            return (
                f"Every interval contains this spread; only with more than {FEW} losses is it taken out of differences."
            )
        return (
            "The ± of a score and the differences from untrained models contain this spread. Differences between "
            "losses do not, because it is the same on both sides."
        )

    @property
    def covers(self) -> str:
        """The luck of the search and of the seeds, where all losses have equal luck."""
        return (
            f"Each loss had {self.searches} searches. Intervals cover the luck of the search and of the seeds, on this "
            "split and these classes, if its variance is equal for all losses. They do not cover new classes."
        )


def _square(means: tuple[float, ...]) -> float:
    centre = mean_of(means)
    return math.fsum((value - centre) ** 2 for value in means)
