"""The ranks of the losses and, on request, all of their pairs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realitycheck.report.rows import ScoreRow
from realitycheck.report.study_facts import StudyFacts
from realitycheck.statistics.all_pairs import LossPair, all_pairs
from realitycheck.statistics.base import Fit
from realitycheck.statistics.rank_intervals import RankInterval, rank_intervals

SEED = 0
"""Seed of the draws from the joint distribution; the same evidence gives the same report."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The comparisons of all pairs in the primary category and metric.

    Args:
        intervals: the ranks that each loss may have, in the study's order.
        unranked: labels of losses with missing replicates or searches that disagree, which may have any rank.
        pairs: all pairs of the other losses, each in one direction.
    """

    intervals: tuple[RankInterval, ...]
    unranked: tuple[str, ...]
    pairs: tuple[LossPair, ...]

    @property
    def leading(self) -> list[str]:
        """Labels of the losses that are not distinguishable from the best."""
        return [interval.label for interval in self.intervals if interval.best == 1]


def find_ranks(study: StudyFacts, rows: Sequence[ScoreRow], fit: Fit, *, needed: Fit | None) -> Ranks | None:
    """Compare all pairs of losses; None where no two losses have all of their scores.

    Where another fit is `needed`, a pair has the larger of both p-values, and 1 without an estimate or with another
    sign. So a sign counts only where both fits give it.
    """
    labels = [row.label for row in rows]
    holed = {row.label for row in rows if row.cell(study.category, study.metric).missing}
    unranked = holed | fit.disagreeing
    pairs = _pairs(study, labels, fit, unranked)
    if needed is not None:
        pairs = _agreed(pairs, _pairs(study, labels, needed, unranked | needed.disagreeing))
    if not pairs:
        return None
    ranks = rank_intervals(labels, pairs, level=study.level)
    return Ranks(tuple(ranks), tuple(label for label in labels if label in unranked), tuple(pairs))


def _pairs(study: StudyFacts, labels: Sequence[str], fit: Fit, undecided: Collection[str]) -> list[LossPair]:
    return all_pairs(fit, labels, level=study.level, undecided=undecided, rng=np.random.default_rng(SEED))


def _agreed(pairs: Sequence[LossPair], others: Sequence[LossPair]) -> list[LossPair]:
    by_names = {(other.label, other.other): other for other in others}
    return [_both(pair, by_names.get((pair.label, pair.other))) for pair in pairs]


def _both(pair: LossPair, other: LossPair | None) -> LossPair:
    same = other is not None and pair.mean * other.mean > 0
    return replace(pair, p_stepdown=max(pair.p_stepdown, other.p_stepdown) if other and same else 1.0)
