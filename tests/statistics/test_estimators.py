"""Every estimator on the menu, and Student's t against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from realitycheck.statistics.base import Estimator, differences
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.menu import MENU

MINE = [0.21, None, 0.22, 0.25, 0.20]
BASE = [0.20, 0.20, None, 0.21, 0.21]


@pytest.fixture(params=sorted(MENU))
def every(request) -> Estimator:
    return estimator(request.param, level=0.95, searches=1)


@pytest.fixture
def student_t() -> Estimator:
    return estimator("student_t", level=0.95, searches=1)


def test_every_estimator_names_itself_and_what_varied(every):
    scores = [0.1, 0.2, 0.25, 0.3]
    interval = every.interval(scores)
    assert (interval.method, interval.over, interval.level) == (every.method, every.over, 0.95)
    assert MENU[every.method].endswith(type(every).__name__)
    assert every.title
    assert every.covers.endswith(".")
    assert every.at(0.9).interval(scores).half_width < interval.half_width


def test_every_estimator_without_scores_has_no_interval_and_rejects_nothing(every):
    assert every.interval([None, None]) is None
    assert every.difference([None, 0.1], [0.1, None]) is None
    assert every.p_value([None, 0.1], [0.1, None]) == 1.0
    assert every.smallest_p(replicates=1) == 1.0


def test_the_paired_test_equals_scipy_over_common_replicates(student_t):
    expected = stats.ttest_rel([0.21, 0.25, 0.20], [0.20, 0.21, 0.21])
    interval, (low, high) = student_t.difference(MINE, BASE), expected.confidence_interval(0.95)
    assert student_t.p_value(MINE, BASE) == pytest.approx(expected.pvalue)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_p_without_spread(student_t):
    assert student_t.p_value([0.2, 0.3, 0.4], [0.2, 0.3, 0.4]) == 1.0
    assert student_t.p_value([0.75, 1.0], [0.25, 0.5]) == 0.0
    assert student_t.p_value([0.5, None], [0.0, 0.0]) == 1.0


def test_several_searches_are_taken_as_independent_and_said_to_be():
    two = estimator("student_t", level=0.95, searches=2)
    scores = [0.1, 0.2, 0.25, 0.3]
    one = estimator("student_t", level=0.95, searches=1).interval(scores)
    assert two.interval(scores).half_width == one.half_width
    assert two.interval(scores).over == "searches and seeds"
    assert "the 2 searches" in two.covers
    assert "independent" in two.covers
    assert "independent" in two.title


def test_scores_by_search():
    assert estimator("student_t", level=0.95, searches=3).by_search([1, 2, 3, None, 5, 6]) == [
        [1, 2],
        [3, None],
        [5, 6],
    ]


def test_differences_need_both():
    assert differences([0.5, None, 0.25], [0.25, 0.5, None]) == (0.25, None, None)


def test_an_unknown_method_or_level():
    with pytest.raises(ValueError, match="unknown interval method 'bayes'"):
        estimator("bayes", level=0.95, searches=1)
    with pytest.raises(ValueError, match="out of range"):
        estimator("student_t", level=0.4, searches=1)
