"""Compare losses with one declared baseline on paired replicates: p-values, their correction, and verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from realitycheck.statistics.base import Estimator, ReplicateScores, differences, present
from realitycheck.statistics.intervals import Interval, mean_of


class Verdict(StrEnum):
    """Verdict on a loss compared with the baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of one loss with the baseline; differences are loss minus baseline, in the unit of the scores.

    Args:
        label: label of the loss.
        differences: one per replicate; None if either side has no score.
        mean: mean difference over the common replicates; None if there are none.
        interval: interval of the difference; None with too few common replicates.
        equivalence: interval at level 1 − 2α; inside ± the smallest difference, both one-sided tests reject.
        p: two-sided p-value of no difference; 1 if no test is possible.
        p_holm: p-value after Holm's correction over the family.
        correlation: Pearson's r of the two scores over common replicates; None below three or without variation.
        verdict: None while replicates are missing.
    """

    label: str
    differences: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    equivalence: Interval | None
    p: float
    p_holm: float
    correlation: float | None
    verdict: Verdict | None

    @property
    def n(self) -> int:
        """Number of replicates with scores of both sides."""
        return len(present(self.differences))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for a family, in the given order; each is at least its raw value and at most 1.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6:65.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    floor = 0.0
    for rank, i in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = floor
    return adjusted


def correlation(scores: ReplicateScores, baseline: ReplicateScores) -> float | None:
    """Return Pearson's r over the common replicates; None below three or without variation."""
    pairs = [(a, b) for a, b in zip(scores, baseline, strict=True) if a is not None and b is not None]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    if len(pairs) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return statistics.correlation(first, second)


def compare(
    family: Mapping[str, ReplicateScores],
    *,
    baseline: ReplicateScores,
    untrained: ReplicateScores,
    pending: Collection[str],
    estimator: Estimator,
    smallest_difference: float,
) -> list[Comparison]:
    """Compare every loss of a declared family with the baseline.

    Equivalence takes precedence: the interval at level 1 − 2α (two one-sided tests, Schuirmann 1987) is
    inside ± `smallest_difference`. Otherwise better or worse requires a Holm-corrected p-value below α. No verdict may
    result from missing replicates. So `better` must also hold if missing scores of the loss are replaced by the
    untrained score, `worse` if those of the baseline are, and `equivalent` under both replacements.

    Args:
        family: label → scores of all compared losses, without the baseline.
        baseline: scores of the baseline.
        untrained: scores of the untrained model under the same seeds.
        pending: labels with missing replicates; they count in the family with p = 1 and get no verdict.
        estimator: estimator of intervals and p-values; α is 1 − its level.
        smallest_difference: the smallest difference of interest, in the unit of the scores.
    """
    rule = _Rule(estimator, inner=estimator.at(2 * estimator.level - 1), smallest=smallest_difference)
    observed = _View.of(rule, family, baseline, pending)
    filled = {label: _filled(scores, untrained) for label, scores in family.items()}
    views = (
        observed,
        _View.of(rule, filled, baseline, pending),
        _View.of(rule, family, _filled(baseline, untrained), pending),
    )
    return [
        observed.comparison(
            label,
            correlation=correlation(family[label], baseline),
            verdict=None if label in pending else rule.verdict(label, *views),
        )
        for label in family
    ]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The numbers of one loss on which a verdict rests."""

    differences: tuple[float | None, ...]
    interval: Interval | None
    inner: Interval | None
    p: float

    @property
    def mean(self) -> float:
        known = present(self.differences)
        return mean_of(known) if known else 0.0


_NOTHING = _Judged(differences=(), interval=None, inner=None, p=1.0)
"""A loss without any difference from the baseline."""


@dataclass(frozen=True, slots=True)
class _View:
    """The family under one treatment of missing replicates."""

    losses: Mapping[str, _Judged]
    p: Mapping[str, float]
    p_holm: Mapping[str, float]

    @classmethod
    def of(
        cls,
        rule: _Rule,
        family: Mapping[str, ReplicateScores | None],
        baseline: ReplicateScores | None,
        pending: Collection[str],
    ) -> _View:
        losses = {
            label: _NOTHING if scores is None or baseline is None else rule.judge(scores, baseline)
            for label, scores in family.items()
        }
        p = {label: 1.0 if label in pending else loss.p for label, loss in losses.items()}
        return cls(losses, p, dict(zip(p, holm(list(p.values())), strict=True)))

    def comparison(self, label: str, *, correlation: float | None, verdict: Verdict | None) -> Comparison:
        loss = self.losses[label]
        return Comparison(
            label=label,
            differences=loss.differences,
            mean=loss.mean if present(loss.differences) else None,
            interval=loss.interval,
            equivalence=loss.inner,
            p=self.p[label],
            p_holm=self.p_holm[label],
            correlation=correlation,
            verdict=verdict,
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule from scores to a verdict; `inner` is the estimator at level 1 − 2α."""

    estimator: Estimator
    inner: Estimator
    smallest: float

    def judge(self, scores: ReplicateScores, baseline: ReplicateScores) -> _Judged:
        return _Judged(
            differences=differences(scores, baseline),
            interval=self.estimator.difference(scores, baseline),
            inner=self.inner.difference(scores, baseline),
            p=self.estimator.p_value(scores, baseline),
        )

    def verdict(self, label: str, observed: _View, loss_filled: _View, baseline_filled: _View) -> Verdict:
        if all(self._equivalent(view.losses[label].inner) for view in (observed, loss_filled, baseline_filled)):
            return Verdict.EQUIVALENT
        if all(self._significant(view, label, sign=1) for view in (observed, loss_filled)):
            return Verdict.BETTER
        if all(self._significant(view, label, sign=-1) for view in (observed, baseline_filled)):
            return Verdict.WORSE
        return Verdict.UNDECIDED

    def _equivalent(self, inner: Interval | None) -> bool:
        return inner is not None and -self.smallest < inner.low and inner.high < self.smallest

    def _significant(self, view: _View, label: str, *, sign: int) -> bool:
        return sign * view.losses[label].mean > 0 and view.p_holm[label] < 1 - self.estimator.level


def _filled(scores: ReplicateScores, untrained: ReplicateScores) -> ReplicateScores | None:
    """Replace missing scores by the replicate's untrained score, else by the untrained mean; None if there is none."""
    if None not in scores:
        return scores
    known = present(untrained)
    if not known:
        return None
    replacements = [mean_of(known) if score is None else score for score in untrained]
    return [score if score is not None else other for score, other in zip(scores, replacements, strict=True)]
