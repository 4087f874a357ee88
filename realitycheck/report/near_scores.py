"""The scores of a loss as estimators take them: of replicates, near-best settings and classes."""

from __future__ import annotations

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.records.schema import PER_CLASS
from realitycheck.report.lost import lost
from realitycheck.runs import Category
from realitycheck.statistics.base import LossScores


def loss_scores(
    evidence: LossEvidence,
    values: tuple[float | None, ...],
    protocol: Protocol,
    *,
    category: Category,
    metric: str,
) -> LossScores:
    """One category and metric of a loss: its replicates, near-best settings and classes.

    Args:
        evidence: the loss.
        values: the score of each replicate.
        protocol: how it is measured.
        category: how fold models become a score.
        metric: one of the protocol's. Scores of single classes are recorded of MAP@R alone.
    """
    near = [near_values(evidence, search, protocol, category, metric) for search in evidence.searches]
    per_class = _per_class(evidence, category) if f"{metric}_per_class" == PER_CLASS else ()
    known = tuple(scores for scores in near if scores)
    return LossScores(
        values,
        known if len(known) == len(near) else (),
        per_class if len(per_class) == len(values) else (),
        winner=known[0][0] if len(known) == len(near) == 1 and category is not Category.COMPLETE else None,
    )


def near_values(
    evidence: LossEvidence, search: SearchEvidence, protocol: Protocol, category: Category, metric: str
) -> tuple[float, ...] | None:
    """The scores of the near-best settings of one search, the chosen one first; None while one is still missing.

    A setting whose complete run diverged has no complete score, and is left out.
    """
    values = []
    for place, near in enumerate(search.near_best):
        if near_best_lost(search, place, protocol, category):
            continue
        value = evidence.score(near.models, category=category, metric=metric)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def near_best_pending(search: SearchEvidence, place: int, protocol: Protocol, category: Category) -> bool:
    """Whether a near-best setting lacks a score that it can still get."""
    scores = search.near_best[place].models.scores.values()
    missing = [one.complete if category is Category.COMPLETE else one.folds for one in scores]
    return None in missing and not near_best_lost(search, place, protocol, category)


def near_best_lost(search: SearchEvidence, place: int, protocol: Protocol, category: Category) -> bool:
    """Whether a near-best setting cannot have a complete score, because that run diverged or has no lengths."""
    if category is not Category.COMPLETE:
        return False
    if place == 0:
        return lost(search.replicates, protocol, category)[0]
    run = search.near_best[place].models.complete_run
    return run is not None and run.diverged


def _per_class(evidence: LossEvidence, category: Category) -> tuple[tuple[float, ...] | None, ...]:
    scores = [
        replicate.per_class(category=category, distance=evidence.distance, evaluation=evidence.evaluation)
        for replicate in evidence.replicates
    ]
    return tuple(None if own is None else tuple(own) for own in scores)
