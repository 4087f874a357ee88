"""What a rule does in many studies of known truth: coverage of its intervals, and its false verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from realitycheck.statistics.base import Estimator, LossScores, MeanEstimate
from realitycheck.statistics.class_bootstrap import ClassBootstrap
from realitycheck.statistics.comparisons import holm
from realitycheck.statistics.runners_up import RunnersUp
from realitycheck.statistics.searches_calibrated import SearchesCalibrated
from realitycheck.statistics.searches_pooled import SearchesPooled
from realitycheck.statistics.student_t import StudentT

RULES: dict[str, type[Estimator]] = {
    member.method: member for member in (SearchesCalibrated, SearchesPooled, RunnersUp, StudentT, ClassBootstrap)
}
"""Every estimator by name."""

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """The differences of every study from its last loss, (studies, losses - 1), or of all from a constant.

    NaN where there is no estimate.
    """

    mean: Table
    error: Table
    freedom: Table
    disagreeing: NDArray[np.bool_]
    alpha: float

    @classmethod
    def of(cls, rule: Estimator, studies: Sequence[dict[str, LossScores]]) -> Estimates:
        """Fit every study once: a shift of a loss moves its mean and nothing else."""
        rows, flags = [], []
        for scores in studies:
            *others, baseline = scores
            fit = rule.fit(scores, losses=len(scores))
            rows.append([fit.difference(label, baseline) for label in others])
            flagged = fit.disagreeing
            flags.append([bool({label, baseline} & flagged) for label in others])
        return cls.of_rows(rows, flags, rule)

    @classmethod
    def above(cls, rule: Estimator, studies: Sequence[dict[str, LossScores]], *, untrained: float) -> Estimates:
        """The differences of every loss from an untrained model without randomness, (studies, losses)."""
        rows, flags = [], []
        for scores in studies:
            fit = rule.fit(scores, losses=len(scores))
            rows.append([fit.above(label, [untrained]) for label in scores])
            flags.append([label in fit.disagreeing for label in scores])
        return cls.of_rows(rows, flags, rule)

    @classmethod
    def of_rows(
        cls, rows: Sequence[Sequence[MeanEstimate | None]], flags: Sequence[Sequence[bool]], rule: Estimator
    ) -> Estimates:
        """Collect the estimates of every study."""
        found = [[(one.mean, one.error, one.freedom) if one else (np.nan,) * 3 for one in row] for row in rows]
        mean, error, freedom = np.moveaxis(np.array(found, dtype=float), 2, 0)
        return cls(mean, error, freedom, np.array(flags), 1 - rule.level)

    def covers(self, truth: Table) -> NDArray[np.bool_]:
        """Which intervals hold the true difference; those without an estimate hold everything."""
        outside = np.abs(self.mean - truth) > stats.t.isf(self.alpha / 2, self.freedom) * self.error
        return ~outside

    def different(self, shift: Table) -> Table:
        """The sign of every better (1) or worse (-1) after Holm, else 0, with `shift` added to the means."""
        mean = self.mean + shift
        p = np.where(np.isnan(mean), 1.0, 2 * stats.t.sf(np.abs(mean) / self.error, self.freedom))
        return np.where(self._corrected(p), np.sign(mean), 0.0)

    def equivalent(self, shift: Table, *, smallest: float) -> NDArray[np.bool_]:
        """Which losses are equivalent within the smallest difference, after Holm."""
        mean = self.mean + shift
        p = np.where(np.isnan(mean), 1.0, stats.t.sf((smallest - np.abs(mean)) / self.error, self.freedom))
        return self._corrected(p)

    def _corrected(self, p: Table) -> NDArray[np.bool_]:
        return (np.array([holm(row) for row in p.tolist()]) < self.alpha) & ~self.disagreeing


@dataclass(frozen=True)
class Share:
    """A share of studies with its 95 % Clopper-Pearson interval."""

    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.bool_]) -> Share:
        """Count the studies, or the mean over the rows of studies.

        The intervals of one study share a baseline, so a study counts as one: the interval is too wide, if anything.
        """
        rate = float(np.mean(values))
        bounds = stats.binomtest(round(rate * len(values)), len(values)).proportion_ci(0.95)
        return cls(*(round(float(value), 4) for value in (rate, bounds.low, bounds.high)))
