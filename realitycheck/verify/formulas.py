"""Plain formulas of docs/statistics.md: means, variances, p-values, luck and Cochran's test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scipy import special

Value = float | None

POWER = 0.8
"""How often a detectable difference is found."""

COCHRAN = 0.05
"""Level of Cochran's test."""


@dataclass(slots=True)
class Scored:
    """The scores of one loss in one category and metric.

    Args:
        values: one per replicate, search by search; None for a missing one.
        near: per search the scores of near-best settings; empty where they are not all scored.
        classes: per replicate one score per class; empty where they are not known.
        winner: that of the trial which a single search chose, by its fold models; None where it has none.
    """

    values: list[Value]
    near: list[tuple[float, ...]] = field(default_factory=list)
    classes: list[tuple[float, ...] | None] = field(default_factory=list)
    winner: Value = None


@dataclass(frozen=True, slots=True)
class Estimated:
    """A mean, its standard error and its degrees of freedom."""

    mean: float
    error: float
    freedom: float
    n: int
    method: str
    over: str

    def ends(self, level: float) -> dict[str, float | int | str]:
        """The interval at a level, as `tables.json` holds it."""
        half = float(special.stdtrit(self.freedom, (1 + level) / 2)) * self.error
        own = {"mean": self.mean, "low": self.mean - half, "high": self.mean + half, "level": level}
        return {**own, "n": self.n, "method": self.method, "over": self.over}

    @property
    def p(self) -> float:
        """Two-sided p-value of a mean of 0."""
        if self.error == 0:
            return 0.0 if self.mean else 1.0
        return 2 * float(special.stdtr(self.freedom, -abs(self.mean) / self.error))

    def p_outside(self, bound: float) -> float:
        """The larger p-value of two one-sided tests of a mean at or beyond ± `bound`."""
        room = bound - abs(self.mean)
        if self.error == 0:
            return 0.0 if room > 0 else 1.0
        return float(special.stdtr(self.freedom, -room / self.error))

    def detectable(self, *, alpha: float) -> Value:
        """The true mean that a two-sided test at α finds in 80 % of all cases; None where nothing varies."""
        if self.error == 0:
            return None
        edge = float(special.stdtrit(self.freedom, 1 - alpha / 2))
        return self.error * float(special.nctdtrinc(self.freedom, 1 - POWER, edge))


def mean(values: Sequence[float]) -> float:
    """The mean."""
    return math.fsum(values) / len(values)


def known(values: Sequence[Value]) -> list[float]:
    """The values that are not missing."""
    return [value for value in values if value is not None]


def variance(values: Sequence[float]) -> float:
    """The sample variance; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)


def paired(first: Sequence[Value], second: Sequence[Value]) -> list[Value]:
    """Differences replicate by replicate."""
    pairs = zip(first, second, strict=True)
    return [None if a is None or b is None else a - b for a, b in pairs]


def luck(near: Sequence[float], seeds: float) -> float:
    """v: the variance of near-best settings around their mean, less the part of the seeds; it may be negative."""
    if len(near) < 2:
        return 0.0
    centre = mean(near)
    return math.fsum((one - centre) ** 2 for one in near) / len(near) - seeds * (len(near) - 1) / len(near)


def cochran(squares: Mapping[str, float], *, searches: int) -> set[str]:
    """The label whose share of the sum of squares is too large at 5 %; empty below four losses (Cochran 1941)."""
    total, count = math.fsum(squares.values()), len(squares)
    if count < 4 or total == 0:
        return set()
    label = max(squares, key=lambda one: squares[one])
    shape = (searches - 1) / 2
    edge = float(special.betaincinv(shape, (count - 1) * shape, 1 - COCHRAN / count))
    return {label} if squares[label] / total > edge else set()


def within_searches(groups: Sequence[Sequence[float]], *, level: float) -> dict[str, Any] | None:
    """The interval over seeds alone, with the variance within the groups of one setting; None without any freedom."""
    groups = [group for group in groups if group]
    count = sum(map(len, groups))
    freedom = count - len(groups)
    if freedom < 1:
        return None
    inside = sum((len(group) - 1) * variance(group) for group in groups if len(group) > 1) / freedom
    every = [value for group in groups for value in group]
    alone = Estimated(mean(every), math.sqrt(inside / count), freedom, n=count, method="student_t", over="seeds")
    return alone.ends(level)
