"""False verdicts and coverage in simulated studies whose losses are equal, with luck of the search in them.

A case fails only if the 99 % Clopper-Pearson interval of what it counted is wholly outside the band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from simulated_studies import Luck, study

from realitycheck.statistics.comparisons import Verdict, compare
from realitycheck.statistics.estimators import estimator

STUDIES = 400


@dataclass(frozen=True)
class Counted:
    """What a rule did in equal studies."""

    false_families: int
    covered: int
    intervals: int


def count(method: str, luck: Luck, *, searches: int, replicates: int) -> Counted:
    rng, rule = np.random.default_rng(len(luck.search)), estimator(method, level=0.95, searches=searches)
    false = covered = intervals = 0
    for _ in range(STUDIES):
        effects = (0.0,) * len(luck.search)
        scores = study(rng, luck, searches=searches, replicates=replicates, effects=effects)
        *others, baseline = scores
        compared = compare(
            {label: scores[label] for label in others},
            baseline=scores[baseline],
            untrained=[None] * (searches * replicates),
            pending=(),
            estimator=rule,
            losses=len(scores),
            smallest_difference=1e-9,
        )
        false += any(one.verdict in (Verdict.BETTER, Verdict.WORSE) for one in compared)
        covered += sum(one.interval.low <= 0 <= one.interval.high for one in compared)
        intervals += len(compared)
    return Counted(false, covered, intervals)


def at_most(hits: int, number: int, share: float) -> bool:
    return stats.binomtest(hits, number).proportion_ci(0.99).low <= share


def at_least(hits: int, number: int, share: float) -> bool:
    return stats.binomtest(hits, number).proportion_ci(0.99).high >= share


EQUAL = [("searches_pooled", 2, 5, losses) for losses in (4, 8, 14)]
EQUAL += [("searches_calibrated", 2, 5, losses) for losses in (3, 4, 8, 14)]
EQUAL += [("searches_calibrated", 3, 4, 12), ("runners_up", 1, 10, 8)]


@pytest.mark.parametrize(("method", "searches", "replicates", "losses"), EQUAL)
def test_equal_luck(method, searches, replicates, losses):
    luck = Luck(search=(0.1,) * losses, shared=0.05, seed=0.1)
    counted = count(method, luck, searches=searches, replicates=replicates)
    assert at_most(counted.false_families, STUDIES, 0.06)
    assert at_least(counted.covered, counted.intervals, 0.93)


@pytest.mark.parametrize("lucky", [1, 4])
def test_unequal_luck(lucky):
    luck = Luck(search=(1.0,) * lucky + (0.1,) * (12 - lucky), shared=0.05, seed=0.1)
    counted = count("searches_calibrated", luck, searches=2, replicates=5)
    assert at_most(counted.false_families, STUDIES, 0.06)
    assert at_least(counted.covered, counted.intervals, 0.91)


def test_retraining_alone_calls_equal_losses_different():
    """The reason for the other estimators: Student's t over the seeds of one search."""
    luck = Luck(search=(0.1,) * 12, shared=0.0, seed=0.1)
    counted = count("student_t", luck, searches=1, replicates=10)
    assert at_least(counted.false_families, STUDIES, 0.9)
