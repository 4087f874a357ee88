"""Losses against a model that was not trained, against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Verdict
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.untrained import gains

STUDENT_T = estimator("student_t", level=0.95, searches=1)
NONE = [0.20, 0.21, 0.19, 0.20, 0.22]
UP = [0.30, 0.32, 0.29, 0.31, 0.33]
DOWN = [0.10, 0.12, 0.09, 0.11, 0.10]


def judged(losses, *, untrained=NONE, pending=()):
    scores = {label: LossScores(values) for label, values in losses.items()}
    return {gain.label: gain for gain in gains(scores, untrained=untrained, pending=pending, estimator=STUDENT_T)}


def test_each_loss_is_paired_with_the_untrained_model_and_corrected_for_all():
    actual = judged({"up": UP, "down": DOWN, "same": [0.21, 0.20, 0.19, 0.20, 0.22]})
    tests = {label: stats.ttest_rel(values, NONE) for label, values in {"up": UP, "down": DOWN}.items()}
    smaller, larger = sorted(test.pvalue for test in tests.values())
    assert sorted(actual[label].p_holm for label in tests) == pytest.approx([3 * smaller, max(3 * smaller, 2 * larger)])
    low, high = tests["up"].confidence_interval(0.95)
    assert (actual["up"].interval.low, actual["up"].interval.high) == pytest.approx((low, high))
    verdicts = {label: gain.verdict for label, gain in actual.items()}
    assert verdicts == {"up": Verdict.BETTER, "down": Verdict.WORSE, "same": Verdict.UNDECIDED}


def test_a_trunk_without_randomness_is_a_constant():
    actual = judged({"up": UP}, untrained=[0.2])["up"]
    assert actual.p_holm == pytest.approx(stats.ttest_1samp(UP, 0.2).pvalue)


def test_better_may_not_rest_on_diverged_replicates():
    certain = [0.300, 0.301, None, None, None]  # p = 0.003 over two; with zeros for the others t = 1.63, p = 0.18
    assert judged({"up": certain}, untrained=[0.2] * 5)["up"].p_holm < 0.05
    assert judged({"up": certain}, untrained=[0.2] * 5)["up"].verdict is Verdict.UNDECIDED
    assert judged({"down": [*DOWN[:4], None]}, untrained=[0.2] * 5)["down"].verdict is Verdict.WORSE


def test_missing_replicates_wait():
    actual = judged({"up": UP, "late": [0.3, None, None, None, None]}, pending={"late"})
    assert actual["late"].verdict is None
    assert actual["up"].p_holm == pytest.approx(2 * stats.ttest_rel(UP, NONE).pvalue)


def test_no_scores():
    lost = judged({"lost": [None] * 5})["lost"]
    assert (lost.mean, lost.interval, lost.p_holm, lost.verdict) == (None, None, 1.0, Verdict.UNDECIDED)
