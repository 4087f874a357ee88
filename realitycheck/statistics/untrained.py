"""Compare every loss with a model that was not trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from realitycheck.statistics.base import Estimator, LossScores, MeanEstimate, ReplicateScores
from realitycheck.statistics.comparisons import Verdict, holm, without_holes
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
    """

    label: str
    mean: float | None
    interval: Interval | None
    p_holm: float
    verdict: Verdict | None


def gains(
    losses: Mapping[str, LossScores], *, untrained: ReplicateScores, pending: Collection[str], estimator: Estimator
) -> list[Gain]:
    """Compare every loss with one untrained model; the losses are a family of their own.

    No verdict may result from diverged replicates: `better` must also hold with the untrained score in their place.

    Args:
        losses: label → scores.
        untrained: the scores of the untrained model: one per replicate, or a single one if nothing in it is random.
        pending: labels with missing replicates; they count in the family with p = 1 and get no verdict.
        estimator: estimator of intervals and p-values; α is 1 − its level.
    """
    filled = {label: without_holes(scores, untrained) or scores for label, scores in losses.items()}
    observed, cautious = (_above(estimator, view, untrained) for view in (losses, filled))
    first, second = (_corrected(view, pending) for view in (observed, cautious))
    alpha = 1 - estimator.level
    return [
        Gain(
            label,
            mean=estimate.mean if estimate else None,
            interval=estimate.interval(estimator.level) if estimate else None,
            p_holm=first[label],
            verdict=None if label in pending else _verdict(estimate, first[label], second[label], alpha),
        )
        for label, estimate in observed.items()
    ]


def _above(
    estimator: Estimator, losses: Mapping[str, LossScores], untrained: ReplicateScores
) -> dict[str, MeanEstimate | None]:
    fit = estimator.fit(losses, losses=len(losses))
    return {label: fit.above(label, untrained) for label in losses}


def _corrected(estimates: Mapping[str, MeanEstimate | None], pending: Collection[str]) -> dict[str, float]:
    p = [1.0 if estimate is None or label in pending else estimate.p for label, estimate in estimates.items()]
    return dict(zip(estimates, holm(p), strict=True))


def _verdict(estimate: MeanEstimate | None, observed: float, cautious: float, alpha: float) -> Verdict:
    if estimate is None or observed >= alpha:
        return Verdict.UNDECIDED
    if estimate.mean < 0:
        return Verdict.WORSE
    return Verdict.BETTER if cautious < alpha else Verdict.UNDECIDED
