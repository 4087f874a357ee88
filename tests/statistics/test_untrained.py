"""Losses against a model that was not trained, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from error_rates import Estimates
from scipy import stats
from simulated_studies import Luck, study

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Reason, Verdict
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


def test_a_loss_whose_searches_disagree_gets_no_verdict():
    """Cochran's test: the searches of `odd` are 0.2 apart, those of the others 0.01 to 0.03."""
    searches = {"a": (0.50, 0.51), "b": (0.50, 0.52), "c": (0.51, 0.50), "d": (0.50, 0.53), "odd": (0.40, 0.60)}
    scores = {label: LossScores([one, one + 0.001, two, two + 0.001]) for label, (one, two) in searches.items()}
    pooled = estimator("searches_pooled", level=0.95, searches=2)
    found = {gain.label: gain for gain in gains(scores, untrained=[0.0], pending=(), estimator=pooled)}
    assert found["odd"].p_holm < 0.05
    assert (found["odd"].verdict, found["odd"].reason) == (Verdict.UNDECIDED, Reason.SEARCHES_DISAGREE)
    assert {found[label].verdict for label in "abcd"} == {Verdict.BETTER}
    waiting = gains(scores, untrained=[0.0], pending={"odd"}, estimator=pooled)[-1]
    assert (waiting.verdict, waiting.reason) == (None, None)


@pytest.mark.parametrize(("losses", "lucky"), [(12, 0), (12, 1), (4, 0), (3, 0)])
def test_no_training_helps_where_nothing_did(losses, lucky):
    """The band fails only if the 99 % Clopper-Pearson interval lies wholly outside of it."""
    luck = Luck(search=(1.3,) * lucky + (0.13,) * (losses - lucky), shared=0.05, seed=0.13)
    rng, rule = np.random.default_rng(losses + lucky), estimator("searches_calibrated", level=0.95, searches=2)
    studies = [study(rng, luck, searches=2, replicates=5, effects=(0.0,) * losses) for _ in range(200)]
    found = Estimates.above(rule, studies, untrained=0.0)
    false = int(found.different(np.zeros(losses)).any(axis=1).sum())
    assert stats.binomtest(false, 200).proportion_ci(0.99).low <= 0.06
    for kind in (slice(0, lucky), slice(lucky, None)):
        inside = found.covers(np.zeros(losses))[:, kind]
        if inside.size:
            assert stats.binomtest(round(inside.mean() * 200), 200).proportion_ci(0.99).high >= 0.93
