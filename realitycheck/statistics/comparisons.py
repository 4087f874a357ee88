"""Compare losses with one declared baseline on paired replicates: p-values, their correction, and verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from realitycheck.statistics.base import Estimator, LossScores, MeanEstimate, ReplicateScores, differences, present
from realitycheck.statistics.intervals import Interval, mean_of
from realitycheck.statistics.power import detectable

POWER = 0.8
"""The share of studies in which a detectable difference is found; Cohen's (1988) convention."""


class Verdict(StrEnum):
    """Verdict on a loss compared with the baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    IDENTICAL = "identical"
    """Every replicate has the same score on both sides, so there is nothing to test."""


class Reason(StrEnum):
    """Why a verdict is undecided although the p-values of its estimator may decide it."""

    SEARCHES_DISAGREE = "its searches disagree"
    LUCK_NOT_MEASURED = "search luck not measured"
    OTHERS_DISAGREE = "not if the luck of the search is counted"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of one loss with the baseline; differences are loss minus baseline, in the unit of the scores.

    Args:
        label: label of the loss.
        differences: one per replicate; None if either side has no score.
        mean: mean difference over the common replicates; None if there are none.
        interval: interval of the difference; None with too few common replicates.
        equivalence: interval at level 1 − 2α; inside ± the smallest difference, both one-sided tests reject, before
            any correction.
        p: two-sided p-value of no difference; 1 if no test is possible.
        p_holm: p-value after Holm's correction over the family.
        p_outside: p-value of a difference of the smallest difference of interest or more, after Holm's correction.
        detectable: the smallest true difference that a test with this standard error finds in 80 % of all studies, at
            the first step of Holm's correction; None without an estimate, or where nothing varies.
        correlation: Pearson's r of the two scores over common replicates; None below three or without variation.
        disagreeing: whether the searches of the loss or of the baseline are too far apart for a verdict.
        verdict: None while replicates are missing.
        reason: why the verdict is undecided in spite of the p-values; None otherwise.
    """

    label: str
    differences: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    equivalence: Interval | None
    p: float
    p_holm: float
    p_outside: float
    detectable: float | None
    correlation: float | None
    disagreeing: bool
    verdict: Verdict | None
    reason: Reason | None = None

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
    family: Mapping[str, LossScores],
    *,
    baseline: LossScores,
    untrained: ReplicateScores,
    pending: Collection[str],
    estimator: Estimator,
    losses: int,
    smallest_difference: float,
) -> list[Comparison]:
    """Compare every loss of a declared family with the baseline.

    Equivalence takes precedence: two one-sided tests (Schuirmann 1987) reject a difference of `smallest_difference`
    or more, after Holm's correction. Otherwise better or worse requires a Holm-corrected p-value below α. No verdict
    may result from missing replicates. So `better` must also hold if missing scores of the loss are replaced by the
    untrained score, `worse` if those of the baseline are, and `equivalent` under both replacements. A loss whose
    searches disagree gets no verdict, nor does any if those of the baseline do. A loss with the baseline's score in
    every replicate is `identical`: nothing varies, and no test has a meaning.

    Args:
        family: label → scores of all compared losses, without the baseline.
        baseline: scores of the baseline.
        untrained: scores of the untrained model under the same seeds, or the single one if nothing in it is random.
        pending: labels with missing replicates; they count in the family with p = 1 and get no verdict.
        estimator: estimator of intervals and p-values; α is 1 − its level.
        losses: number of losses that the study declares, the baseline among them.
        smallest_difference: the smallest difference of interest, in the unit of the scores.
    """
    rule = _Rule(estimator, losses, smallest_difference)
    filled = {label: without_holes(scores, untrained) for label, scores in family.items()}
    views = (
        _View.of(rule, family, baseline, pending),
        _View.of(rule, filled, baseline, pending),
        _View.of(rule, family, without_holes(baseline, untrained), pending),
    )
    return [
        views[0].comparison(
            label,
            correlation=correlation(family[label].replicates, baseline.replicates),
            verdict=None if label in pending else rule.verdict(label, *views),
            level=estimator.level,
        )
        for label in family
    ]


_BASELINE = ""
"""The label of the baseline inside a view; no loss has it."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """The numbers of one loss on which a verdict rests."""

    differences: tuple[float | None, ...]
    estimate: MeanEstimate | None
    disagreeing: bool


@dataclass(frozen=True, slots=True)
class _View:
    """The family under one treatment of missing replicates."""

    losses: Mapping[str, _Judged]
    p: Mapping[str, float]
    p_holm: Mapping[str, float]
    p_outside: Mapping[str, float]

    @classmethod
    def of(
        cls,
        rule: _Rule,
        family: Mapping[str, LossScores | None],
        baseline: LossScores | None,
        pending: Collection[str],
    ) -> _View:
        losses = rule.judge(family, baseline)
        known = {label: None if label in pending else loss.estimate for label, loss in losses.items()}
        p = {label: estimate.p if estimate else 1.0 for label, estimate in known.items()}
        outside = [estimate.p_outside(rule.smallest) if estimate else 1.0 for estimate in known.values()]
        return cls(
            losses, p, dict(zip(p, holm(list(p.values())), strict=True)), dict(zip(p, holm(outside), strict=True))
        )

    def comparison(self, label: str, *, correlation: float | None, verdict: Verdict | None, level: float) -> Comparison:
        loss = self.losses[label]
        known = present(loss.differences)
        return Comparison(
            label=label,
            differences=loss.differences,
            mean=loss.estimate.mean if loss.estimate else mean_of(known) if known else None,
            interval=loss.estimate.interval(level) if loss.estimate else None,
            equivalence=loss.estimate.interval(2 * level - 1) if loss.estimate else None,
            p=self.p[label],
            p_holm=self.p_holm[label],
            p_outside=self.p_outside[label],
            detectable=_detectable(loss.estimate, alpha=(1 - level) / len(self.losses)),
            correlation=correlation,
            disagreeing=loss.disagreeing,
            verdict=verdict,
            reason=Reason.SEARCHES_DISAGREE if loss.disagreeing and verdict is not None else None,
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule from scores to a verdict."""

    estimator: Estimator
    losses: int
    smallest: float

    def judge(self, family: Mapping[str, LossScores | None], baseline: LossScores | None) -> dict[str, _Judged]:
        known = {label: scores for label, scores in {**family, _BASELINE: baseline}.items() if scores is not None}
        fit = self.estimator.fit(known, losses=self.losses)
        judged = {}
        for label, scores in family.items():
            if scores is None or baseline is None:
                judged[label] = _Judged((), None, disagreeing=False)
                continue
            gaps = differences(scores.replicates, baseline.replicates)
            disagreeing = bool({label, _BASELINE} & fit.disagreeing)
            judged[label] = _Judged(gaps, fit.difference(label, _BASELINE), disagreeing)
        return judged

    def verdict(self, label: str, observed: _View, loss_filled: _View, baseline_filled: _View) -> Verdict:
        gaps = observed.losses[label].differences
        if len(gaps) > 1 and all(gap == 0 for gap in gaps):
            return Verdict.IDENTICAL
        if observed.losses[label].disagreeing:
            return Verdict.UNDECIDED
        if all(view.p_outside[label] < self._alpha for view in (observed, loss_filled, baseline_filled)):
            return Verdict.EQUIVALENT
        if all(self._significant(view, label, sign=1) for view in (observed, loss_filled)):
            return Verdict.BETTER
        if all(self._significant(view, label, sign=-1) for view in (observed, baseline_filled)):
            return Verdict.WORSE
        return Verdict.UNDECIDED

    @property
    def _alpha(self) -> float:
        return 1 - self.estimator.level

    def _significant(self, view: _View, label: str, *, sign: int) -> bool:
        estimate = view.losses[label].estimate
        return estimate is not None and sign * estimate.mean > 0 and view.p_holm[label] < self._alpha


def _detectable(estimate: MeanEstimate | None, *, alpha: float) -> float | None:
    if estimate is None or not estimate.error:
        return None
    return detectable(estimate, alpha=alpha, wanted=POWER)


def without_holes(scores: LossScores, untrained: ReplicateScores) -> LossScores | None:
    """Replace missing scores by the replicate's untrained score, else by the untrained mean; None if there is none."""
    if None not in scores.replicates:
        return scores
    known = present(untrained)
    if not known:
        return None
    own = list(untrained) if len(untrained) == len(scores.replicates) else [None] * len(scores.replicates)
    others = [mean_of(known) if score is None else score for score in own]
    filled = [score if score is not None else other for score, other in zip(scores.replicates, others, strict=True)]
    return replace(scores, replicates=filled)
