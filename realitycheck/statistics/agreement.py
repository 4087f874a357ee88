"""Verdicts of an estimator that leaves out the luck of the search: kept only where one that covers it agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from realitycheck.statistics.comparisons import Comparison, Reason, Verdict
from realitycheck.statistics.untrained import Gain


def agreed(comparisons: Sequence[Comparison], others: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons with every verdict undecided that another estimator does not give as well.

    Args:
        comparisons: of one family by one estimator.
        others: of the same family in the same order, by an estimator that covers the luck of the search.
    """
    return [_agreed(one, other) for one, other in zip(comparisons, others, strict=True)]


def agreed_gains(gained: Sequence[Gain], others: Sequence[Gain]) -> list[Gain]:
    """Return the gains over an untrained model with every verdict undecided that another estimator does not give.

    Args:
        gained: of one family by one estimator.
        others: of the same family in the same order, by an estimator that covers the luck of the search.
    """
    return [
        one if one.verdict in (None, other.verdict) else replace(one, verdict=Verdict.UNDECIDED)
        for one, other in zip(gained, others, strict=True)
    ]


def _agreed(one: Comparison, other: Comparison) -> Comparison:
    if one.verdict in (None, Verdict.UNDECIDED) or one.verdict is other.verdict:
        return one
    unmeasured = other.interval is None
    reason = other.reason or (Reason.LUCK_NOT_MEASURED if unmeasured else Reason.OTHERS_DISAGREE)
    return replace(one, verdict=Verdict.UNDECIDED, reason=reason)
