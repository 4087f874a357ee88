"""Estimates over replicates, and with one variance between searches for all losses (docs/statistics.md, Estimators)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from realitycheck.verify.formulas import Estimated, Scored, Value, cochran, known, mean, paired, variance

FEW_LOSSES = 3
"""Up to this number of losses the total variance between searches is used."""


class Fitted:
    """Student's t over replicates; the other estimators are kinds of it.

    Args:
        columns: label → scores.
        searches: M.
        losses: how many losses the study declares.
    """

    method = "student_t"

    def __init__(self, columns: Mapping[str, Scored], *, searches: int, losses: int) -> None:
        self.columns, self.searches, self.losses = columns, searches, losses
        self.share = max((len(one.values) // searches for one in columns.values()), default=0)
        rows = {label: self._rows(one) for label, one in columns.items()}
        self.means = {label: [mean(row) for row in own] for label, own in rows.items() if all(own)}
        self.whole = [label for label in self.means if None not in columns[label].values]
        inner = [row for label in self.whole for row in rows[label]]
        freedom = sum(len(row) - 1 for row in inner)
        squares = math.fsum(variance(row) * (len(row) - 1) for row in inner)
        self.seeds: Value = squares / freedom if freedom else None
        self.prepare()

    def _rows(self, column: Scored) -> list[list[float]]:
        share = len(column.values) // self.searches
        return [known(column.values[share * one : share * (one + 1)]) for one in range(self.searches)]

    def prepare(self) -> None:
        """Compute what all estimates share."""

    @property
    def over(self) -> str:
        """What the intervals cover."""
        return "seeds" if self.searches == 1 else "searches and seeds"

    @property
    def disagreeing(self) -> set[str]:
        """Losses with searches too far apart."""
        return set()

    @property
    def warnings(self) -> list[str]:
        """Sentences about the estimate."""
        return []

    @property
    def diagnostics(self) -> dict[str, float]:
        """Numbers on which the warnings rest."""
        return {}

    def of(self, values: Sequence[Value]) -> Estimated | None:
        """Student's t of some values."""
        there = known(values)
        if len(there) < 2:
            return None
        error = math.sqrt(variance(there) / len(there))
        return Estimated(mean(there), error, len(there) - 1, len(there), "student_t", self.over)

    def loss(self, label: str) -> Estimated | None:
        """The mean of one loss."""
        return self.of(self.columns[label].values)

    def difference(self, label: str, other: str) -> Estimated | None:
        """One loss minus another."""
        return self.of(paired(self.columns[label].values, self.columns[other].values))

    def pair(self, label: str, other: str) -> Estimated | None:
        """One loss minus another, among all pairs."""
        return self.difference(label, other)

    def above(self, label: str, untrained: Sequence[Value]) -> Estimated | None:
        """One loss minus an untrained model, which has one score per replicate, or a single one."""
        values = self.columns[label].values
        base = list(untrained) * len(values) if len(untrained) == 1 else untrained
        return self.of(paired(values, base))

    def centre(self, label: str) -> float:
        """The mean over the searches of a loss."""
        return mean(self.means[label])


class Pooled(Fitted):
    """One variance between searches for all losses."""

    method = "searches_pooled"

    def prepare(self) -> None:
        """s_w² and s_i², of the losses with all their scores."""
        pool = [self.means[label] for label in self.whole]
        count, spare = len(pool), self.searches - 1
        self.pool, self.name = pool, self.method
        self.total = self.own = self.total_freedom = math.nan
        if count < 1 or spare < 1:
            return
        gaps = [[value - mean(row) for value in row] for row in pool]
        shared = [mean([row[h] for row in gaps]) for h in range(self.searches)]
        self.total = math.fsum(gap**2 for row in gaps for gap in row) / (count * spare)
        between = count * math.fsum(gap**2 for gap in shared) / spare
        rest = math.fsum((row[h] - shared[h]) ** 2 for row in gaps for h in range(self.searches))
        self.own = rest / ((count - 1) * spare) if count > 1 else math.nan
        self.total_freedom = self._satterthwaite(between, count, spare)

    def _satterthwaite(self, between: float, count: int, spare: int) -> float:
        """Degrees of freedom of s_w², which is the mean of MS_h and L − 1 times s_i²."""
        if count == 1:
            return spare
        other = (count - 1) * self.own
        parts = between**2 / spare + other**2 / ((count - 1) * spare)
        return (between + other) ** 2 / parts if parts else count * spare

    @property
    def over(self) -> str:
        """Both."""
        return "searches and seeds"

    @property
    def disagreeing(self) -> set[str]:
        """By Cochran's test at 5 %."""
        return cochran({label: variance(self.means[label]) for label in self.whole}, searches=self.searches)

    def make(self, centre: float, square: float, freedom: float) -> Estimated:
        """An estimate over searches."""
        return Estimated(centre, math.sqrt(square), freedom, self.searches, self.name, self.over)

    def loss(self, label: str) -> Estimated | None:
        """θ_l ± t(ν) · s_w / √M."""
        if math.isnan(self.total) or label not in self.means:
            return None
        return self.make(self.centre(label), self.total / self.searches, self.total_freedom)

    def difference(self, label: str, other: str) -> Estimated | None:
        """θ_a − θ_b ± t · s · √(2 / M)."""
        if math.isnan(self.total) or not {label, other} <= set(self.means):
            return None
        few = self.losses <= FEW_LOSSES
        freedom = (len(self.pool) - (0 if few else 1)) * (self.searches - 1)
        square = 2 * (self.total if few else self.own) / self.searches
        return self.make(self.centre(label) - self.centre(other), square, freedom) if freedom else None

    def above(self, label: str, untrained: Sequence[Value]) -> Estimated | None:
        """θ_l minus the mean of the untrained models: both variances, and at most the freedom of θ_l."""
        base, there = self.loss(label), known(untrained)
        if base is None or not there or 1 == len(there) < len(untrained):
            return None
        gap, square = base.mean - mean(there), base.error**2
        if len(untrained) == 1:
            return self.make(gap, square, base.freedom)
        seeds = variance(there) / len(there)
        parts = square**2 / base.freedom + seeds**2 / (len(there) - 1)
        welch = (square + seeds) ** 2 / parts if parts else base.freedom
        return self.make(gap, square + seeds, welch if welch < base.freedom else base.freedom)
