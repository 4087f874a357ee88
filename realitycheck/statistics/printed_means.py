"""Tests of printed results: of each loss no more is known than a mean, a half-width and the number of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from realitycheck.statistics.base import MeanEstimate
from realitycheck.statistics.comparisons import holm
from realitycheck.statistics.power import detectable

HALVINGS = 40
"""Steps of the bisection: the last one is 1e-12 of the difference."""


@dataclass(frozen=True, slots=True)
class PrintedMean:
    """A mean over independent runs, with Student's interval around it.

    Args:
        mean: in the unit of the scores.
        half_width: half of the interval, at least 0.
        n: number of runs, at least 2.
        level: level of the interval, in (0, 1).
    """

    mean: float
    half_width: float
    n: int
    level: float

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.half_width / float(special.stdtrit(self.n - 1, (1 + self.level) / 2))

    @property
    def deviation(self) -> float:
        """The standard deviation of a run."""
        return self.error * math.sqrt(self.n)


Pair = tuple[PrintedMean, PrintedMean]
"""Two losses; their difference is the first minus the second."""


@dataclass(frozen=True, slots=True)
class PrintedComparison:
    """One difference of a family.

    Args:
        estimate: the difference with Welch's standard error and degrees of freedom.
        p_holm: its p-value after Holm's correction over the family.
        detectable: the smallest true difference that these runs detect with the wanted power, at the corrected level.
        survives: the largest standard deviation between searches at which it stays significant after the correction
            if each loss had one search; None where it is not significant without any.
    """

    estimate: MeanEstimate
    p_holm: float
    detectable: float
    survives: float | None


def welch(first: PrintedMean, second: PrintedMean, *, search_sd: float) -> MeanEstimate:
    """Return the difference of two independent means, each of one search with a known standard deviation.

    The variance is se₁² + se₂² + 2·search_sd². Satterthwaite's degrees of freedom count the last part as known; without
    any variation they are infinite.

    Args:
        first: the loss.
        second: the loss that is subtracted.
        search_sd: standard deviation between searches of one loss, at least 0 and in the unit of the scores.

    Source: Welch (1938), Biometrika 29:350; Satterthwaite (1946), Biometrics Bulletin 2:110.
    """
    variance, lost = _variance_and_lost((first, second))
    total = variance + 2 * search_sd**2
    freedom = total**2 / lost if lost else math.inf
    n = min(first.n, second.n)
    return MeanEstimate(first.mean - second.mean, math.sqrt(total), freedom, n=n, method="welch", over="runs")


def judge_family(pairs: Sequence[Pair], *, alpha: float, wanted: float) -> list[PrintedComparison]:
    """Judge the differences of one family, in the given order.

    Args:
        pairs: the two losses of each difference.
        alpha: level of the family, in (0, 1).
        wanted: power of the detectable difference, in (0.5, 1); by convention 0.8.
    """
    estimates = [welch(*pair, search_sd=0.0) for pair in pairs]
    corrected = holm([estimate.p for estimate in estimates])
    return [
        PrintedComparison(
            estimate,
            p_holm,
            detectable=detectable(estimate, alpha=alpha / len(pairs), wanted=wanted),
            survives=_survived(pairs, place, alpha=alpha) if p_holm < alpha else None,
        )
        for place, (estimate, p_holm) in enumerate(zip(estimates, corrected, strict=True))
    ]


def _survived(pairs: Sequence[Pair], place: int, *, alpha: float) -> float:
    """Bisect: a difference that is significant without luck stops to be so at one point, which is below |d| / √2."""
    gaps = np.array([first.mean - second.mean for first, second in pairs])
    variance, lost = np.array([_variance_and_lost(pair) for pair in pairs]).T
    low, high = 0.0, abs(float(gaps[place])) / math.sqrt(2)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        total = variance + 2 * middle**2
        freedom = np.divide(total**2, lost, out=np.full_like(total, np.inf), where=lost > 0)
        p_values = 2 * special.stdtr(freedom, -np.abs(gaps) / np.sqrt(total))
        low, high = (middle, high) if holm(p_values.tolist())[place] < alpha else (low, middle)
    return low


def _variance_and_lost(pair: Pair) -> tuple[float, float]:
    """The variance of the difference, and the sum by which Satterthwaite's formula divides."""
    squares = [(mean.error**2, mean.n) for mean in pair]
    return math.fsum(square for square, _ in squares), math.fsum(square**2 / (n - 1) for square, n in squares)
