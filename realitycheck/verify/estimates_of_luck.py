"""Estimates that count the luck of a search, or the test classes (docs/statistics.md, Estimators)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from realitycheck.verify.estimates import FEW_LOSSES, Fitted, Pooled
from realitycheck.verify.formulas import Estimated, Value, cochran, known, luck, mean, variance

LEAST_FREEDOM = 4
FEWEST_CLASSES = 10
FEW_CLASSES = 40
UNEXPLAINED = 3.0
"""Thresholds of docs/statistics.md: `runners_up`, `class_bootstrap` twice, and κ."""


class Calibrated(Pooled):
    """One variance for each loss from its runners-up, and one factor κ from the gaps between searches."""

    method = "searches_calibrated"

    def prepare(self) -> None:
        """R_l² of every loss, and κ; those of `searches_pooled` where runners-up are not scored."""
        super().prepare()
        scored = all(len(self.columns[label].near) == self.searches for label in self.means)
        self.calibrated = not math.isnan(self.total) and self.seeds is not None and scored
        self.kappa, self.freedom, self.common, self.squares = 1.0, 0.0, 0.0, dict[str, float]()
        if not self.calibrated:
            self.name = Pooled.method
            return
        self.luck = {label: self._luck(label) for label in self.means}
        self._calibrate()

    def _luck(self, label: str) -> float:
        assert self.seeds is not None
        own = mean([luck(near, self.seeds) for near in self.columns[label].near])
        return max(0.0, own) + self.seeds / self.share

    def _calibrate(self) -> None:
        spare, few = self.searches - 1, self.losses <= FEW_LOSSES
        if not all(self.luck[label] > 0 for label in self.whole):
            self.freedom = max(1.0, float(len(self.pool) * spare))
            return
        weights = [1 / self.luck[label] for label in self.whole]
        gaps = [[value - mean(row) for value in row] for row in self.pool]
        total = math.fsum(weights)
        shared = [
            0.0 if few else math.fsum(w * row[h] for w, row in zip(weights, gaps, strict=True)) / total
            for h in range(self.searches)
        ]
        self.common = math.fsum(value**2 for value in shared) / spare
        self.squares = {
            label: w * math.fsum((gap - common) ** 2 for gap, common in zip(row, shared, strict=True))
            for label, w, row in zip(self.whole, weights, gaps, strict=True)
        }
        self.freedom = float((len(self.pool) - (0 if few else 1)) * spare)
        self.kappa = math.fsum(self.squares.values()) / self.freedom if self.freedom else 1.0

    @property
    def disagreeing(self) -> set[str]:
        """None: each loss has its own variance."""
        return set() if self.calibrated else super().disagreeing

    @property
    def diagnostics(self) -> dict[str, float]:
        """κ."""
        return {"kappa": self.kappa} if self.calibrated else {}

    @property
    def warnings(self) -> list[str]:
        """Where κ exceeds 3, or the gaps of one loss are unusual."""
        if not self.calibrated:
            return ["Not all runners-up are scored, so one variance is used for all losses (searches_pooled)."]
        odd = cochran(self.squares, searches=self.searches)
        if self.kappa <= UNEXPLAINED and not odd:
            return []
        names = f" ({', '.join(sorted(odd))})" if odd else ""
        return [f"The runners-up do not explain how far two searches differ{names}."]

    def loss(self, label: str) -> Estimated | None:
        """θ_l ± t · √((max(1, κ) · max(R_l², median R²) + S²) / M), with S² of what losses share in a search."""
        if not self.calibrated or not self.freedom or not self._middle() or label not in self.means:
            return super().loss(label)
        own = max(1.0, self.kappa) * max(self.luck[label], self._middle())
        if self.losses <= FEW_LOSSES:
            return self.make(self.centre(label), own / self.searches, self.total_freedom)
        welch = (own + self.common) ** 2 / (own**2 / self.freedom + self.common**2 / (self.searches - 1))
        return self.make(self.centre(label), (own + self.common) / self.searches, welch)

    def difference(self, label: str, other: str) -> Estimated | None:
        """θ_a − θ_b ± t · √(max(1, κ) · (R_a² + R_b²) / M)."""
        if not self.calibrated:
            return super().difference(label, other)
        if not {label, other} <= set(self.means) or not self.freedom:
            return None
        return self._apart(label, other, least=0.0)

    def pair(self, label: str, other: str) -> Estimated | None:
        """The same with at least the median R² on both sides."""
        if not self.calibrated:
            return super().pair(label, other)
        known = {label, other} <= set(self.means) and self.freedom
        return self._apart(label, other, least=self._middle()) if known else None

    def _middle(self) -> float:
        return float(np.median([self.luck[label] for label in self.whole]))

    def _apart(self, label: str, other: str, *, least: float) -> Estimated:
        square = max(1.0, self.kappa) * sum(max(self.luck[one], least) for one in (label, other)) / self.searches
        return self.make(self.centre(label) - self.centre(other), square, self.freedom)


class OneSearch(Fitted):
    """One search of each loss: V_l from its runners-up, at least the mean over losses."""

    method = "runners_up"

    def prepare(self) -> None:
        """v_l of every loss with scored runners-up."""
        near = {label: self.columns[label].near[0] for label in self.means if self.columns[label].near}
        self.luck = {label: luck(own, self.seeds or 0.0) for label, own in near.items()}
        self.freedom = 0.5 * sum(len(own) - 1 for own in near.values())

    @property
    def over(self) -> str:
        """What the intervals cover."""
        return "near-best settings and seeds"

    def loss(self, label: str) -> Estimated | None:
        """The mean over replicates."""
        return self._of({label: 1})

    def difference(self, label: str, other: str) -> Estimated | None:
        """The difference of two means."""
        return self._of({label: 1, other: -1})

    def _of(self, signs: Mapping[str, int]) -> Estimated | None:
        if not set(signs) <= set(self.luck) or self.seeds is None or self.freedom < LEAST_FREEDOM:
            return None
        shared = mean(list(self.luck.values()))
        square = math.fsum(max(0.0, self.luck[label], shared) + self.seeds / self.share for label in signs)
        centre = math.fsum(sign * self.centre(label) for label, sign in signs.items())
        return Estimated(centre, math.sqrt(square), self.freedom, 1, self.method, self.over)

    def above(self, label: str, untrained: Sequence[Value]) -> Estimated | None:
        """The difference from an untrained model, which no search has touched."""
        base, there = self.loss(label), known(untrained)
        if base is None or not there:
            return None
        seeds = (self.seeds or 0.0) / len(there) if len(untrained) > 1 else 0.0
        error = math.sqrt(base.error**2 + seeds)
        return Estimated(base.mean - mean(there), error, base.freedom, 1, self.method, self.over)


class Classes(Fitted):
    """Student's t over test classes: √max(v_C, v_H, v_C + v_H − v_CH)."""

    method = "class_bootstrap"

    @property
    def over(self) -> str:
        """What the intervals cover."""
        return "classes and seeds" if self.searches == 1 else "classes, searches and seeds"

    @property
    def warnings(self) -> list[str]:
        """Where the classes are few."""
        counts = {len(row) for one in self.columns.values() for row in one.classes if row is not None}
        if not counts or min(counts) >= FEW_CLASSES:
            return []
        few = f"The test half has {min(counts)} classes; intervals over fewer than {FEW_CLASSES} may be too narrow."
        return [few]

    def loss(self, label: str) -> Estimated | None:
        """The mean over classes and replicates."""
        return self._of(self._table(label))

    def difference(self, label: str, other: str) -> Estimated | None:
        """The mean difference over the same classes."""
        one, two = self._table(label), self._table(other)
        if one is None or two is None or (len(one), len(one[0])) != (len(two), len(two[0])):
            return None
        return self._of([[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(one, two, strict=True)])

    def above(self, label: str, untrained: Sequence[Value]) -> Estimated | None:
        """The difference from the mean of an untrained model."""
        base, there = self.loss(label), known(untrained)
        if base is None or not there:
            return None
        return Estimated(base.mean - mean(there), base.error, base.freedom, base.n, self.method, self.over)

    def _table(self, label: str) -> list[list[float]] | None:
        """One row per class, one column per search, or per replicate of a single search."""
        rows = [row for row in self.columns[label].classes if row is not None]
        if not rows or len(rows) < len(self.columns[label].classes):
            return None
        table = [list(column) for column in zip(*rows, strict=True)]
        if self.searches == 1:
            return table
        share = len(rows) // self.searches
        return [[mean(row[share * h : share * (h + 1)]) for h in range(self.searches)] for row in table]

    def _of(self, table: list[list[float]] | None) -> Estimated | None:
        if table is None or len(table) < FEWEST_CLASSES:
            return None
        rows = [mean(row) for row in table]
        columns = [mean(column) for column in zip(*table, strict=True)]
        cells = [value for row in table for value in row]
        own, other, all_cells = (variance(one) / len(one) for one in (rows, columns, cells))
        error = math.sqrt(max(own, other, own + other - all_cells))
        return Estimated(mean(cells), error, len(rows) - 1, len(rows), self.method, self.over)


KINDS: dict[str, type[Fitted]] = {kind.method: kind for kind in (Fitted, Pooled, Calibrated, OneSearch, Classes)}
"""Name of an estimator → its kind."""


def beside(method: str, *, searches: int) -> tuple[str | None, bool]:
    """The estimator that is printed beside another one, and whether a verdict needs both."""
    several = searches > 1
    others = {
        "student_t": ("searches_calibrated" if several else "runners_up", True),
        "searches_calibrated": ("searches_pooled", False),
        "class_bootstrap": (None if several else "runners_up", not several),
    }
    return others.get(method, (None, False))
