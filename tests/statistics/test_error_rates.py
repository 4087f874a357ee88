"""The counts of simulations give the verdicts of `compare`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from error_rates import RULES, Estimates, Share
from scipy import stats
from simulated_studies import Luck, study

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Verdict, compare

SMALLEST = 0.6


@pytest.mark.parametrize(
    ("method", "searches", "replicates"),
    [("student_t", 1, 10), ("searches_pooled", 2, 5), ("searches_calibrated", 2, 5), ("runners_up", 1, 10)],
)
def test_verdicts_are_those_of_compare(method, searches, replicates):
    rng, rule = np.random.default_rng(3), RULES[method](level=0.95, searches=searches)
    luck, effects = Luck(search=(0.4, 0.1, 0.1, 0.1, 0.1, 0.1), shared=0.05, seed=0.1), np.array([3.0, 0, 0.6, -0.4, 2])
    seen = set()
    for _ in range(12):
        scores = study(rng, luck, searches=searches, replicates=replicates, effects=(0.0,) * 6)
        found = Estimates.of(rule, [scores])
        moved = {
            label: LossScores([value + effect for value in own.replicates], own.near_best)
            for (label, own), effect in zip(scores.items(), [*effects, 0.0], strict=True)
        }
        *others, baseline = moved
        compared = compare(
            {label: moved[label] for label in others},
            baseline=moved[baseline],
            untrained=[None] * (searches * replicates),
            pending=(),
            estimator=rule,
            losses=6,
            smallest_difference=SMALLEST,
        )
        signs = found.different(effects)[0]
        near = found.equivalent(effects, smallest=SMALLEST)[0]
        words = [
            "equivalent" if same else {1: "better", -1: "worse", 0: "undecided"}[int(sign)]
            for sign, same in zip(signs, near, strict=True)
        ]
        assert words == [str(one.verdict) for one in compared]
        inside = [
            one.interval.low <= effect <= one.interval.high for one, effect in zip(compared, effects, strict=True)
        ]
        assert list(found.covers(np.zeros(5))[0]) == inside
        seen |= set(words)
    assert seen >= {Verdict.BETTER, Verdict.EQUIVALENT}


def test_no_estimate_is_no_finding():
    rule = RULES["runners_up"](level=0.95, searches=1)  # two losses of two settings: one degree of freedom
    scores = {label: LossScores([0.1, 0.2], ((0.1, 0.2),)) for label in "ab"}
    found = Estimates.of(rule, [scores])
    assert not found.different(np.array([9.0])).any()
    assert not found.equivalent(np.array([0.0]), smallest=1e9).any()


def test_a_study_counts_once():
    values = np.array([[True, True, False, True]] * 40)
    low, high = stats.binomtest(30, 40).proportion_ci(0.95)
    assert Share.of(values) == Share(0.75, round(low, 4), round(high, 4))


def test_the_tables_in_the_docs_are_those_of_the_committed_simulations():
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    drawing = import_module("draw_error_rates")
    assert drawing.summary() in (drawing.DOCS / "statistics.md").read_text()
    assert drawing.pairs() in (drawing.DOCS / "statistics.md").read_text()
    assert drawing.page() == (drawing.DOCS / "measured" / "error_rates.md").read_text()
