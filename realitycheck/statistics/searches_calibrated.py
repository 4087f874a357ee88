"""Intervals from the spread between searches, weighted by how much the near-best settings of each loss vary."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from realitycheck.statistics.base import Design, LossScores, MeanEstimate
from realitycheck.statistics.calibrated_power import calibrated
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.search_means import SearchMeans, unusual
from realitycheck.statistics.searches_pooled import FEW, PooledFit, SearchesPooled

UNEXPLAINED = 3.0
"""Above this κ the runners-up do not explain how far the searches differ."""


@dataclass(frozen=True, slots=True)
class CalibratedFit(PooledFit):
    """One variance for each loss, from its runners-up, and one factor κ for all, from the gaps between searches.

    Args:
        variances: label → R², the variance of the mean of one search.
        typical: median of R² over the losses with all their scores.
        kappa: κ.
        freedom: degrees of freedom of κ; 0 with too few losses.
        shared: variance over searches of what all losses have in common; 0 with few losses, where κ contains it.
        unexplained: labels of losses with unusual gaps.
    """

    variances: Mapping[str, float]
    typical: float
    kappa: float
    freedom: float
    shared: float
    unexplained: frozenset[str]

    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean over searches, with the own variance of the loss and that of what all losses share.

        Compared with a constant, an own variance that came out too small by chance is corrected by no other loss, so at
        least the median over losses is used.
        """
        if not self.freedom or not self.typical or self.between is None or label not in self.means.means:
            return PooledFit.loss(self, label)
        mean = self.means.mean(label)
        own = max(1.0, self.kappa) * self._at_least_typical(label) / self.searches
        if self.losses <= FEW:  # κ contains what they share, in which all gaps of a search are equal
            return self._estimate(mean, own, self.between.freedom)
        shared = self.shared / self.searches
        freedom = (own + shared) ** 2 / (own**2 / self.freedom + shared**2 / (self.searches - 1))
        return self._estimate(mean, own + shared, freedom)

    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the difference; None where a loss has no score in one of its searches."""
        if not {label, other} <= self.means.means.keys() or not self.freedom:
            return None
        return self._difference(label, other, self.variances[label] + self.variances[other])

    def pair(self, label: str, other: str) -> MeanEstimate | None:
        """Return the difference with at least the median variance on both sides.

        Among all pairs some have two losses with a variance that came out too small by chance.
        """
        if not {label, other} <= self.means.means.keys() or not self.freedom:
            return None
        return self._difference(label, other, self._at_least_typical(label) + self._at_least_typical(other))

    def _at_least_typical(self, label: str) -> float:
        return max(self.variances[label], self.typical)

    def _difference(self, label: str, other: str, variance: float) -> MeanEstimate:
        mean = self.means.mean(label) - self.means.mean(other)
        return self._estimate(mean, max(1.0, self.kappa) * variance / self.searches, self.freedom)

    @property
    def disagreeing(self) -> frozenset[str]:
        """Empty: every loss has its own variance."""
        return frozenset()

    @property
    def diagnostics(self) -> dict[str, float]:
        """The factor κ."""
        return {"kappa": self.kappa}

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence where the gaps between searches exceed what the runners-up explain."""
        if self.kappa <= UNEXPLAINED and not self.unexplained:
            return ()
        names = f" ({', '.join(sorted(self.unexplained))})" if self.unexplained else ""
        return (f"The runners-up do not explain how far two searches differ{names}.",)


@dataclass(frozen=True, slots=True)
class UncalibratedFit(PooledFit):
    """The pooled fit where runners-up are not scored."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence that says so."""
        return ("Not all runners-up are scored, so one variance is used for all losses (searches_pooled).",)


class SearchesCalibrated(SearchesPooled):
    """Student's t over searches: runners-up give the relative luck of each loss, gaps between searches its size.

    Where the runners-up of a loss are not scored, the fit is that of `searches_pooled`.
    """

    method = "searches_calibrated"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> PooledFit:
        """Fit all losses; the pools hold those with all their scores."""
        pooled = SearchesPooled(self.level, self.searches).fit(scores, losses=losses)
        means = pooled.means
        scored = all(len(scores[label].near_best) == self.searches for label in means.means)
        if pooled.between is None or means.seeds is None or not scored:
            return UncalibratedFit(means, pooled.between, losses, pooled.method, pooled.over)
        variances = {
            label: _own_variance(scores[label].near_best, seeds=means.seeds, share=means.share) for label in means.means
        }
        gaps = _gaps(means, variances, few=losses <= FEW)
        return CalibratedFit(
            *(means, pooled.between, losses, self.method, self.over),
            variances=variances,
            typical=statistics.median(variances[label] for label in means.complete),
            kappa=gaps.kappa,
            freedom=gaps.freedom,
            shared=gaps.shared,
            unexplained=unusual(gaps.squares, searches=self.searches),
        )

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return that of `searches_pooled`, with the standard errors of simulated studies."""
        pooled = super().design(replicates=replicates, losses=losses)
        return calibrated(pooled, replicates=replicates, losses=losses, near=1 + self.runners_up, few=losses <= FEW)

    @property
    def beside(self) -> str:
        """The estimator with one variance for all losses."""
        return SearchesPooled.method

    @property
    def title(self) -> str:
        """`Student's t over searches, calibrated by the runners-up`."""
        return "Student's t over searches, calibrated by the runners-up"

    @property
    def of_scores(self) -> str:
        """One variance of scores for each loss."""
        return (
            "The ± of a score counts how much the near-best settings of its loss vary, at least as much as those of "
            "the median loss, and what all losses have in common in a search. Differences have intervals of their own, "
            "so two ± cannot be combined."
        )

    @property
    def covers(self) -> str:
        """The luck of the search and of the seeds, as far as trials have seen it."""
        return (
            f"Each loss was searched {self.searches} times. Two losses are called different only if they differ by "
            "more than repeated searches of one loss do; how much these vary is estimated from the near-best settings "
            "of each loss. If every search of a loss missed a better region, no interval knows it. Intervals hold for "
            "this split and these classes, not for new classes."
        )


def luck(near_best: tuple[float, ...], *, seeds: float) -> float:
    """Return the variance of the test score over near-best settings, without the part of the seeds; it may be negative.

    Args:
        near_best: test scores of the chosen trial and of its runners-up, by the models of each trial.
        seeds: variance of one such score over seeds.
    """
    count = len(near_best)
    if count < 2:
        return 0.0
    centre = mean_of(near_best)
    return math.fsum((value - centre) ** 2 for value in near_best) / count - seeds * (1 - 1 / count)


def _own_variance(near_best: tuple[tuple[float, ...], ...], *, seeds: float, share: int) -> float:
    """The variance of the mean of one search of a loss."""
    return max(0.0, mean_of([luck(scores, seeds=seeds) for scores in near_best])) + seeds / share


@dataclass(frozen=True, slots=True)
class _Gaps:
    """The gaps between searches: κ, its degrees of freedom, what losses share, and weighted squares by label."""

    kappa: float
    freedom: float
    shared: float
    squares: Mapping[str, float]


def _gaps(means: SearchMeans, variances: Mapping[str, float], *, few: bool) -> _Gaps:
    pool = means.pool
    weights = np.array([1 / variances[label] if variances[label] else math.inf for label in means.complete])
    deviations = pool - pool.mean(axis=1, keepdims=True)
    spare = means.searches - 1
    if not np.isfinite(weights).all():  # nothing varies, not even the seeds
        return _Gaps(1.0, max(1.0, float(len(pool) * spare)), 0.0, {})
    shared = np.zeros(means.searches) if few else (weights[:, None] * deviations).sum(axis=0) / weights.sum()
    squares = weights * ((deviations - shared) ** 2).sum(axis=1)
    freedom = float(len(pool) * spare if few else (len(pool) - 1) * spare)
    kappa = float(squares.sum()) / freedom if freedom else 1.0
    by_label = dict(zip(means.complete, map(float, squares), strict=True))
    return _Gaps(kappa, freedom, float((shared**2).sum()) / spare, by_label)
