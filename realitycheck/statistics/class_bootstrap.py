"""Intervals for other classes: the bootstrap over test classes in closed form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.statistics.base import Design, Estimator, Fit, LossScores, MeanEstimate, ReplicateScores, present
from realitycheck.statistics.intervals import mean_of

FEW_CLASSES = 40
"""With fewer classes the intervals are named uncertain: of skewed classes they cover 90 to 94 % for 95 %."""

FEWEST_CLASSES = 10
"""With fewer classes no interval is given: with five the percentile bootstrap covers 84 % for 95 %."""


@dataclass(frozen=True, slots=True)
class ClassFit(Fit):
    """Per-class scores of every loss; every class has the same weight (macro average)."""

    scores: Mapping[str, LossScores]
    searches: int
    over: str

    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean over classes and replicates."""
        return self._of(self._matrix(label))

    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the mean difference over the same classes."""
        one, two = self._matrix(label), self._matrix(other)
        return None if one is None or two is None or one.shape != two.shape else self._of(one - two)

    def above(self, label: str, untrained: ReplicateScores) -> MeanEstimate | None:
        """Return the difference from the mean of an untrained model, as if it were the same in every class."""
        base, known = self.loss(label), present(untrained)
        if base is None or not known:
            return None
        return MeanEstimate(base.mean - mean_of(known), base.error, base.freedom, base.n, base.method, self.over)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence where the classes are few."""
        counts = {len(row) for own in self.scores.values() for row in own.per_class if row is not None}
        if not counts or min(counts) >= FEW_CLASSES:
            return ()
        return (f"The test half has {min(counts)} classes; intervals over fewer than {FEW_CLASSES} may be too narrow.",)

    def _matrix(self, label: str) -> NDArray[np.float64] | None:
        """Scores by class and search, (C, H), or by class and replicate for one search; None if one is missing."""
        rows = [row for row in self.scores[label].per_class if row is not None]
        if not rows or len(rows) < len(self.scores[label].per_class):
            return None
        table = np.array(rows).T
        if self.searches == 1:
            return table
        means: NDArray[np.float64] = table.reshape(len(table), self.searches, -1).mean(axis=2)
        return means

    def _of(self, table: NDArray[np.float64] | None) -> MeanEstimate | None:
        if table is None or len(table) < FEWEST_CLASSES:
            return None
        classes = len(table)
        error = math.sqrt(two_way_variance(table))
        return MeanEstimate(float(table.mean()), error, classes - 1, classes, ClassBootstrap.method, self.over)


class ClassBootstrap(Estimator):
    """Student's t over test classes, with the larger of the variances over classes and over searches or seeds.

    The gallery is fixed: a resampled class keeps its images as queries only.
    """

    method = "class_bootstrap"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> ClassFit:
        """Fit all losses with per-class scores; `losses` has no effect."""
        return ClassFit(scores, self.searches, self.over)

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return a class as the independent value; their number is known when the data are read."""
        return Design(FEWEST_CLASSES, FEWEST_CLASSES - 1, "a loss's score over classes")

    @property
    def beside(self) -> str | None:
        """The estimator that counts the luck of a single search."""
        return "runners_up" if self.searches == 1 else None

    @property
    def needs_agreement(self) -> bool:
        """Whether there is a single search, the luck of which the intervals leave out."""
        return self.searches == 1

    @property
    def over(self) -> str:
        """`classes and seeds`, or `classes, searches and seeds`."""
        return "classes and seeds" if self.searches == 1 else "classes, searches and seeds"

    @property
    def title(self) -> str:
        """`class bootstrap in closed form`."""
        return "class bootstrap in closed form"

    @property
    def covers(self) -> str:
        """Other classes of the same kind, in a gallery of the same size."""
        luck = "" if self.searches > 1 else " They leave out the luck of the search."
        return (
            "Intervals cover other classes of the same kind, every class with the same weight and with the gallery "
            f"fixed.{luck}"
        )


def two_way_variance(table: NDArray[np.float64]) -> float:
    """Return the variance of the mean of a table (C, H) whose rows and columns are both sampled.

    It is max(v_C, v_H, v_C + v_H − v_CH), with v_C from the means of rows, v_H of columns, and v_CH of all cells.

    Source: Cameron, Gelbach and Miller (2011), J. Bus. Econ. Stat. 29:238.
    """
    rows = _variance(table.mean(axis=1))
    columns = _variance(table.mean(axis=0))
    return max(rows, columns, rows + columns - _variance(table.ravel()))


def _variance(values: NDArray[np.float64] | Sequence[float]) -> float:
    """The variance of the mean of independent values; 0 for a single one."""
    count = len(values)
    return float(np.var(values, ddof=1)) / count if count > 1 else 0.0
