"""The interface of every estimator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from realitycheck.statistics.intervals import Interval

ReplicateScores = Sequence[float | None]
"""One score per replicate, numbered through the searches of a loss; None if the replicate has no score."""


@dataclass(frozen=True)
class Estimator(ABC):
    """Estimate of a loss's mean over replicates, and of its difference from another loss.

    Args:
        level: coverage of the intervals, in (0.5, 1).
        searches: searches per loss, each with an equal share of the replicates.
    """

    level: float
    searches: int

    method: ClassVar[str]
    """Its name on the menu."""

    def at(self, level: float) -> Self:
        """Return the same estimator at another level."""
        return replace(self, level=level)

    def by_search(self, scores: ReplicateScores) -> list[ReplicateScores]:
        """Return the scores as a matrix with one row per search."""
        share = len(scores) // self.searches
        return [scores[share * number : share * (number + 1)] for number in range(self.searches)]

    @abstractmethod
    def interval(self, scores: ReplicateScores) -> Interval | None:
        """Return the interval of one loss's mean, or None with too few scores."""

    @abstractmethod
    def difference(self, scores: ReplicateScores, baseline: ReplicateScores) -> Interval | None:
        """Return the interval of the mean difference, paired by replicate, or None with too few common replicates."""

    @abstractmethod
    def p_value(self, scores: ReplicateScores, baseline: ReplicateScores) -> float:
        """Return the two-sided p-value of no true difference; 1 if no test is possible."""

    @abstractmethod
    def power(self, effect: float, *, replicates: int, alpha: float) -> float:
        """Return the power of the test of one difference.

        Args:
            effect: true mean difference in units of the standard deviation of the paired differences, at least 0.
            replicates: per loss, at least 2.
            alpha: level of the single test, after any correction, in (0, 1).
        """

    @abstractmethod
    def smallest_p(self, *, replicates: int) -> float:
        """Return the smallest possible p-value; 1 if no test is possible."""

    @property
    @abstractmethod
    def over(self) -> str:
        """Source of variation between the scores, such as `seeds`."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A phrase that names the estimator and what it treats as independent."""

    @property
    @abstractmethod
    def covers(self) -> str:
        """What the intervals cover and what they do not, in sentences."""


def differences(scores: ReplicateScores, baseline: ReplicateScores) -> tuple[float | None, ...]:
    """Return score minus baseline for each replicate; None if either is missing."""
    pairs = zip(scores, baseline, strict=True)
    return tuple(None if score is None or base is None else score - base for score, base in pairs)


def present(scores: ReplicateScores) -> list[float]:
    """Return the scores that are not missing."""
    return [score for score in scores if score is not None]
