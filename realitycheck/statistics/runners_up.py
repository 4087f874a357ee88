"""Intervals for one search of each loss, from the spread of its near-best settings on the test half."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.statistics.base import Design, Estimator, Fit, LossScores, MeanEstimate, ReplicateScores, present
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.search_means import SearchMeans
from realitycheck.statistics.searches_calibrated import luck

LEAST_FREEDOM = 4
"""Fewer degrees of freedom, over all losses, support no verdict."""


@dataclass(frozen=True, slots=True)
class RunnersUpFit(Fit):
    """One variance of the search's luck for each loss, at least the mean over losses."""

    means: SearchMeans
    luck: Mapping[str, float]
    freedom: float
    over: str

    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean over replicates, with the luck of the search and of the seeds."""
        return self._estimate({label: 1})

    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the difference of two means."""
        return self._estimate({label: 1, other: -1})

    def above(self, label: str, untrained: ReplicateScores) -> MeanEstimate | None:
        """Return the difference from an untrained model, which has no search."""
        base, known = self.loss(label), present(untrained)
        if base is None or not known:
            return None
        seeds = self.means.seeds or 0.0
        square = base.error**2 + (seeds / len(known) if len(untrained) > 1 else 0.0)
        return MeanEstimate(
            base.mean - mean_of(known), math.sqrt(square), base.freedom, n=1, method=base.method, over=self.over
        )

    def _estimate(self, signs: Mapping[str, int]) -> MeanEstimate | None:
        if not signs.keys() <= self.luck.keys() or self.means.seeds is None or self.freedom < LEAST_FREEDOM:
            return None
        mean = math.fsum(sign * self.means.mean(label) for label, sign in signs.items())
        shared = mean_of(list(self.luck.values()))
        square = math.fsum(max(0.0, self.luck[label], shared) for label in signs)
        square += len(signs) * self.means.seeds / self.means.share
        return MeanEstimate(mean, math.sqrt(square), self.freedom, n=1, method=RunnersUp.method, over=self.over)


class RunnersUp(Estimator):
    """Student's t with the spread of near-best settings as the luck of a single search.

    The degrees of freedom, half of the runners-up of all losses, were chosen by simulation.
    """

    method = "runners_up"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> RunnersUpFit:
        """Fit all losses with scored runners-up; `losses` has no effect."""
        means = SearchMeans.of(scores, searches=1)
        scored = {label: scores[label].near_best[0] for label in means.means if scores[label].near_best}
        own = {label: luck(near, seeds=means.seeds or 0.0) for label, near in scored.items()}
        freedom = 0.5 * sum(len(near) - 1 for near in scored.values())
        return RunnersUpFit(means, own, freedom, self.over)

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return one independent value, with the degrees of freedom of a full set of runners-up."""
        most = 0.5 * losses * self.runners_up if replicates > 1 else 0.0
        return Design(1, most if most >= LEAST_FREEDOM else 0, "the mean of one search")

    @property
    def over(self) -> str:
        """`near-best settings and seeds`."""
        return "near-best settings and seeds"

    @property
    def title(self) -> str:
        """`Student's t with the runners-up of one search`."""
        return "Student's t with the runners-up of one search"

    @property
    def covers(self) -> str:
        """The luck of the search as far as its trials have seen it, and of the seeds."""
        return (
            "Each loss was searched once. Intervals cover retraining noise and how much the near-best settings of the "
            "search differ on the test half, on this split and these classes. Luck in regions that no trial visited "
            "stays unseen, and so do new classes."
        )
