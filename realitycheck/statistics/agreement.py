"""Verdicts of an estimator that leaves out the luck of the search: kept only where one that covers it agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from realitycheck.statistics.comparisons import Comparison, Reason, Verdict
from realitycheck.statistics.untrained import Gain

Judged = TypeVar("Judged", Comparison, Gain)


def agreed(ours: Sequence[Judged], others: Sequence[Judged]) -> list[Judged]:
    """Return comparisons, or gains over an untrained model, undecided where another estimator gives another verdict.

    Args:
        ours: of one family by one estimator.
        others: of the same family in the same order, by an estimator that covers the luck of the search.
    """
    return [_agreed(one, other) for one, other in zip(ours, others, strict=True)]


def _agreed(one: Judged, other: Judged) -> Judged:
    if one.verdict in (None, Verdict.UNDECIDED) or one.verdict is other.verdict:
        return one
    unmeasured = other.interval is None
    reason = other.reason or (Reason.LUCK_NOT_MEASURED if unmeasured else Reason.OTHERS_DISAGREE)
    return replace(one, verdict=Verdict.UNDECIDED, reason=reason)


def found_by_both(ours: Sequence[Comparison], others: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with the detectable difference of the estimator that finds less, since a verdict needs both.

    It is None where one of them has no standard error. Args as in `agreed`.
    """
    return [_found_by_both(one, other) for one, other in zip(ours, others, strict=True)]


def _found_by_both(one: Comparison, other: Comparison) -> Comparison:
    known = [size for size in (one.detectable, other.detectable) if size is not None]
    return replace(one, detectable=max(known) if len(known) == 2 else None)
