"""Every estimator on the menu, and Student's t against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import Estimator, LossScores, MeanEstimate, by_search, differences
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.menu import MENU

MINE = [0.21, None, 0.22, 0.25, 0.20]
BASE = [0.20, 0.20, None, 0.21, 0.21]


@pytest.fixture(params=sorted(MENU))
def every(request) -> Estimator:
    return estimator(request.param, level=0.95, searches=MENU[request.param].most_searches or 2)


def full(rng: np.random.Generator, searches: int) -> LossScores:
    """Scores of ten replicates with all that an estimator may ask for."""
    near_best = tuple(tuple(rng.normal(0.2, 0.01, 4)) for _ in range(searches))
    per_class = tuple(tuple(rng.normal(0.2, 0.1, 20)) for _ in range(10))
    return LossScores([float(np.mean(row)) for row in per_class], near_best, per_class, near_best[0][0])


def student_t(scores: dict) -> MeanEstimate | None:
    fit = estimator("student_t", level=0.95, searches=1).fit(
        {label: LossScores(values) for label, values in scores.items()}, losses=len(scores)
    )
    return fit.difference(*scores)


def test_every_estimator_names_itself_and_what_varied(every):
    rng = np.random.default_rng(0)
    fit = every.fit({label: full(rng, every.searches) for label in "abcde"}, losses=5)
    estimates = [fit.loss("a"), fit.difference("a", "b"), fit.above("a", [0.1] * 10), fit.above("a", [0.1])]
    for estimate in estimates:
        assert (estimate.method, estimate.over) == (every.method, every.over)
        assert estimate.interval(0.9).half_width < estimate.interval(0.95).half_width
    assert every.title
    assert every.covers.endswith(".")


def test_a_difference_is_that_of_the_means_and_changes_its_sign_with_the_order(every):
    rng = np.random.default_rng(1)
    fit = every.fit({label: full(rng, every.searches) for label in "abcde"}, losses=5)
    one, other = fit.difference("a", "b"), fit.difference("b", "a")
    assert one.mean == pytest.approx(fit.loss("a").mean - fit.loss("b").mean)
    assert (other.mean, other.error, other.freedom) == pytest.approx((-one.mean, one.error, one.freedom))


def test_every_estimator_without_scores_has_no_estimate(every):
    fit = every.fit({label: LossScores([None] * 4) for label in "ab"}, losses=2)
    assert fit.loss("a") is None
    assert fit.difference("a", "b") is None
    assert fit.above("a", [0.1] * 4) is None


def test_the_paired_test_equals_scipy_over_common_replicates():
    expected = stats.ttest_rel([0.21, 0.25, 0.20], [0.20, 0.21, 0.21])
    actual, (low, high) = student_t({"mine": MINE, "base": BASE}), expected.confidence_interval(0.95)
    assert actual.p == pytest.approx(expected.pvalue)
    assert (actual.interval(0.95).low, actual.interval(0.95).high) == pytest.approx((low, high))


def test_equivalence_equals_two_one_sided_tests_of_scipy():
    gaps = [0.01, 0.03, -0.02, 0.015, 0.0]
    actual = student_t({"mine": gaps, "base": [0.0] * 5})
    upper = stats.ttest_1samp(gaps, 0.05, alternative="less").pvalue
    lower = stats.ttest_1samp(gaps, -0.05, alternative="greater").pvalue
    assert actual.p_outside(0.05) == pytest.approx(max(upper, lower))


def test_p_without_spread():
    assert student_t({"mine": [0.2, 0.3, 0.4], "base": [0.2, 0.3, 0.4]}).p == 1.0
    certain = student_t({"mine": [0.75, 1.0], "base": [0.25, 0.5]})
    assert (certain.p, certain.p_outside(0.6), certain.p_outside(0.4)) == (0.0, 0.0, 1.0)
    assert student_t({"mine": [0.5, None], "base": [0.0, 0.0]}) is None


def test_an_untrained_score_in_which_nothing_is_random_is_a_constant():
    scores = [0.31, 0.29, 0.33]
    fit = estimator("student_t", level=0.95, searches=1).fit({"a": LossScores(scores)}, losses=1)
    expected = stats.ttest_1samp(scores, 0.25)
    assert fit.above("a", [0.25]).p == pytest.approx(expected.pvalue)


def test_several_searches_are_taken_as_independent_and_said_to_be():
    one, two = (estimator("student_t", level=0.95, searches=searches) for searches in (1, 2))
    scores = {"a": LossScores([0.1, 0.2, 0.25, 0.3])}
    assert two.fit(scores, losses=1).loss("a").error == one.fit(scores, losses=1).loss("a").error
    assert two.over == "searches and seeds"
    assert "the 2 searches" in two.covers
    assert "independent" in two.covers
    assert "independent" in two.title


def test_the_menu_builds_its_members():
    for method, entry in MENU.items():
        assert estimator(method, level=0.95, searches=entry.least_searches).method == method


def test_scores_by_search():
    assert by_search([1, 2, 3, None, 5, 6], searches=3) == [[1, 2], [3, None], [5, 6]]


def test_differences_need_both():
    assert differences([0.5, None, 0.25], [0.25, 0.5, None]) == (0.25, None, None)


@pytest.mark.parametrize(
    ("method", "level", "searches", "match"),
    [
        ("bayes", 0.95, 1, "unknown interval method 'bayes'"),
        ("student_t", 0.4, 1, "out of range"),
        ("searches_pooled", 0.95, 1, "needs 2 or more"),
        ("searches_calibrated", 0.95, 1, "needs 2 or more"),
        ("runners_up", 0.95, 2, "takes 1"),
    ],
)
def test_arguments_out_of_range(method, level, searches, match):
    with pytest.raises(ValueError, match=match):
        estimator(method, level=level, searches=searches)
