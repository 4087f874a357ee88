"""The interface of every estimator, and what it estimates from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy import special

from realitycheck.statistics.intervals import Interval
from realitycheck.statistics.near_best import MOST

ReplicateScores = Sequence[float | None]
"""One score per replicate, numbered through the searches of a loss; None if the replicate has no score."""


@dataclass(frozen=True, slots=True)
class LossScores:
    """The scores of one loss in one category and metric.

    Args:
        replicates: one score per replicate.
        near_best: per search, the test scores of its chosen trial and of its runners-up, each by the models of the
            trial itself; empty where they are not scored.
        per_class: per replicate, one score per test class; empty where they are not known.
        winner: test score of the trial that a single search chose, by its own models; None where it has none, as for
            complete models, which are no part of a search.
    """

    replicates: ReplicateScores
    near_best: tuple[tuple[float, ...], ...] = ()
    per_class: tuple[tuple[float, ...] | None, ...] = ()
    winner: float | None = None


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """A mean with its standard error, as Student's t takes it.

    Args:
        mean: the estimate, in the unit of the scores.
        error: its standard error, at least 0.
        freedom: degrees of freedom, above 0; fractions are allowed.
        n: number of independent values behind it.
        method: the estimator's name on the menu.
        over: source of variation that the error covers, such as `seeds`.
    """

    mean: float
    error: float
    freedom: float
    n: int
    method: str
    over: str

    def interval(self, level: float) -> Interval:
        """Return the interval at a level in (0, 1)."""
        half = float(special.stdtrit(self.freedom, (1 + level) / 2)) * self.error
        low, high = self.mean - half, self.mean + half
        return Interval(self.mean, low, high, level=level, n=self.n, method=self.method, over=self.over)

    @property
    def p(self) -> float:
        """Two-sided p-value of a true mean of 0. Without variation it is 1 for a mean of 0, else 0."""
        if self.error == 0:
            return 0.0 if self.mean else 1.0
        return float(2 * special.stdtr(self.freedom, -abs(self.mean) / self.error))

    def p_outside(self, bound: float) -> float:
        """Return the p-value of a true mean at or beyond ± `bound`: the larger of two one-sided tests.

        Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657.
        """
        room = bound - abs(self.mean)
        if self.error == 0:
            return 0.0 if room > 0 else 1.0
        return float(special.stdtr(self.freedom, -room / self.error))


@dataclass(frozen=True, slots=True)
class Design:
    """What the test of one difference rests on, before any score is known.

    The standard error of a difference is sd · √(2 (1 − ρ) / independent), with ρ the correlation of two losses.

    Args:
        independent: number of independent values of each loss.
        freedom: degrees of freedom; 0 if no test is possible.
        unit: the value of which `sd` is the standard deviation, such as `a score over seeds`.
        errors: the standard error that a study finds, in units of the true one, in equally probable cases; empty where
            it is that of a variance with `freedom`.
    """

    independent: int
    freedom: float
    unit: str
    errors: tuple[float, ...] = ()

    @property
    def error(self) -> float:
        """Root mean square of the standard errors that studies find, in units of the true one."""
        return math.sqrt(math.fsum(error**2 for error in self.errors) / len(self.errors)) if self.errors else 1.0


class Fit(ABC):
    """What an estimator found in one category and metric of one dataset. A method returns None with too few scores."""

    @abstractmethod
    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean of one loss."""

    @abstractmethod
    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the mean of one loss minus that of another."""

    def pair(self, label: str, other: str) -> MeanEstimate | None:
        """Return the difference as it enters the comparison of all pairs."""
        return self.difference(label, other)

    @abstractmethod
    def above(self, label: str, untrained: ReplicateScores) -> MeanEstimate | None:
        """Return the mean of one loss minus the score of a model without training.

        Args:
            label: the loss.
            untrained: the scores of the untrained model: one per replicate, or a single one if nothing in it is random.
        """

    @property
    def disagreeing(self) -> frozenset[str]:
        """Labels of losses with searches too far apart for a verdict."""
        return frozenset()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that must be read beside every verdict."""
        return ()

    @property
    def diagnostics(self) -> dict[str, float]:
        """Numbers by name on which the warnings rest."""
        return {}

    @property
    def own_variances(self) -> bool:
        """Whether every difference has an estimate of its variance of its own, as paired differences have."""
        return False


@dataclass(frozen=True)
class Estimator(ABC):
    """A rule from scores to estimates.

    Args:
        level: coverage of the intervals, in (0.5, 1).
        searches: searches per loss, each with an equal share of the replicates.
        runners_up: runners-up of a search that are scored, at most. Only `design` depends on it: a fit takes the scores
            that there are.
    """

    level: float
    searches: int
    runners_up: int = MOST - 1

    method: ClassVar[str]
    """Its name on the menu."""

    @abstractmethod
    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> Fit:
        """Fit the scores of all losses together.

        Args:
            scores: label → scores; a loss may have none so far.
            losses: number of losses that the study declares; it chooses between rules, so that the data do not.
        """

    @abstractmethod
    def design(self, *, replicates: int, losses: int) -> Design:
        """Return what a comparison of two losses rests on."""

    @property
    def beside(self) -> str | None:
        """Name of the estimator whose verdicts are printed beside its own; None where there is none."""
        return None

    @property
    def needs_agreement(self) -> bool:
        """Whether a verdict counts only if `beside` gives it as well: its intervals leave out the luck of a search."""
        return False

    @property
    @abstractmethod
    def over(self) -> str:
        """Source of variation that its intervals cover, such as `seeds`."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A phrase that names the estimator and what it treats as independent."""

    @property
    @abstractmethod
    def covers(self) -> str:
        """What the intervals cover and what they do not, in sentences."""

    @property
    def of_scores(self) -> str:
        """How an interval of a score is made, where that is not how one of a difference is; else empty."""
        return ""

    def of_shared(self, *, losses: int) -> str:
        """Say which intervals contain what all losses have in common in a search; empty where no rule is for it.

        Args:
            losses: number of losses that the study declares.
        """
        return ""


def by_search(scores: ReplicateScores, *, searches: int) -> list[ReplicateScores]:
    """Return the scores as a matrix with one row per search."""
    share = len(scores) // searches
    return [scores[share * number : share * (number + 1)] for number in range(searches)]


def differences(scores: ReplicateScores, baseline: ReplicateScores) -> tuple[float | None, ...]:
    """Return score minus baseline for each replicate; None if either is missing."""
    pairs = zip(scores, baseline, strict=True)
    return tuple(None if score is None or base is None else score - base for score, base in pairs)


def present(scores: ReplicateScores) -> list[float]:
    """Return the scores that are not missing."""
    return [score for score in scores if score is not None]
