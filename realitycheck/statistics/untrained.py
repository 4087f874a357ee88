"""Compare every loss with a model that was not trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from realitycheck.statistics.base import Estimator, LossScores, MeanEstimate, ReplicateScores
from realitycheck.statistics.comparisons import Reason, Verdict, holm, without_holes
from realitycheck.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class Gain:
    """What training with one loss changed; the difference is loss minus untrained model, in the unit of the scores.

    Args:
        label: label of the loss.
        mean: mean difference; None with too few scores.
        interval: interval of the difference; None with too few scores.
        p_holm: two-sided p-value of no difference after Holm's correction over the losses.
        verdict: better, worse or undecided; None while replicates are missing.
        reason: why the verdict is undecided in spite of the p-value; None otherwise.
    """

    label: str
    mean: float | None
    interval: Interval | None
    p_holm: float
    verdict: Verdict | None
    reason: Reason | None = None


def gains(
    losses: Mapping[str, LossScores], *, untrained: ReplicateScores, pending: Collection[str], estimator: Estimator
) -> list[Gain]:
    """Compare every loss with one untrained model; the losses are a family of their own.

    No verdict may result from diverged replicates: `better` must also hold with the untrained score in their place. A
    loss whose searches disagree gets none.

    Args:
        losses: label → scores.
        untrained: the scores of the untrained model: one per replicate, or a single one if nothing in it is random.
        pending: labels with missing replicates; they count in the family with p = 1 and get no verdict.
        estimator: estimator of intervals and p-values; α is 1 − its level.
    """
    filled = {label: without_holes(scores, untrained) or scores for label, scores in losses.items()}
    observed, cautious = (_View.of(estimator, view, untrained, pending) for view in (losses, filled))
    return [
        _gain(label, observed, cautious, level=estimator.level, pending=label in pending)
        for label in observed.estimates
    ]


@dataclass(frozen=True, slots=True)
class _View:
    """The losses under one treatment of missing replicates."""

    estimates: Mapping[str, MeanEstimate | None]
    disagreeing: frozenset[str]
    p_holm: Mapping[str, float]

    @classmethod
    def of(
        cls,
        estimator: Estimator,
        losses: Mapping[str, LossScores],
        untrained: ReplicateScores,
        pending: Collection[str],
    ) -> _View:
        fit = estimator.fit(losses, losses=len(losses))
        known = {label: fit.above(label, untrained) for label in losses}
        p = [1.0 if estimate is None or label in pending else estimate.p for label, estimate in known.items()]
        return cls(known, fit.disagreeing, dict(zip(known, holm(p), strict=True)))


def _gain(label: str, observed: _View, cautious: _View, *, level: float, pending: bool) -> Gain:
    estimate, flagged = observed.estimates[label], label in observed.disagreeing and not pending
    verdict = Verdict.UNDECIDED if flagged else _verdict(label, observed, cautious, alpha=1 - level)
    return Gain(
        label,
        mean=estimate.mean if estimate else None,
        interval=estimate.interval(level) if estimate else None,
        p_holm=observed.p_holm[label],
        verdict=None if pending else verdict,
        reason=Reason.SEARCHES_DISAGREE if flagged else None,
    )


def _verdict(label: str, observed: _View, cautious: _View, *, alpha: float) -> Verdict:
    estimate = observed.estimates[label]
    if estimate is None or observed.p_holm[label] >= alpha:
        return Verdict.UNDECIDED
    if estimate.mean < 0:
        return Verdict.WORSE
    return Verdict.BETTER if cautious.p_holm[label] < alpha else Verdict.UNDECIDED
