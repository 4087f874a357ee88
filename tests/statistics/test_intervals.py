import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.intervals import mean_of, standard_error, t_interval, within_interval


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_equals_scipy(n, level):
    values = np.random.default_rng(n).normal(0.25, 0.004, n)
    low, high = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    actual = t_interval(list(values), level=level, over="seeds")
    assert (actual.low, actual.high) == pytest.approx((low, high), rel=1e-12)
    assert (actual.level, actual.n, actual.method, actual.over) == (level, n, "student_t", "seeds")


def test_by_hand():
    # Mean 2, standard deviation 1, standard error 1/√3; the 97.5 % point of t with 2 degrees is 4.302653.
    actual = t_interval([1.0, 2.0, 3.0], level=0.95, over="seeds")
    assert actual.mean == 2
    assert actual.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)


def test_equal_values_have_no_width():
    actual = t_interval([0.25] * 4, level=0.95, over="seeds")
    assert (actual.low, actual.mean, actual.high) == (0.25, 0.25, 0.25)


def test_coverage_is_the_level():
    draws = np.random.default_rng(0).normal(1.0, 2.0, (4000, 10))
    reach = t_interval([-1.0, 1.0] * 5, level=0.95, over="seeds").half_width  # of a known sample
    quantile = reach / standard_error([-1.0, 1.0] * 5)
    error = draws.std(axis=1, ddof=1) / math.sqrt(10)
    covered = np.mean(np.abs(draws.mean(axis=1) - 1.0) <= quantile * error)
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


def test_the_mean_does_not_round_on_the_way():
    assert mean_of([1e16, 1.0, -1e16]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("values", [[], [0.2]])
def test_needs_two_values(values):
    with pytest.raises(ValueError, match="at least two values"):
        t_interval(values, level=0.95, over="seeds")


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_level_is_a_share(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_interval([0.1, 0.2], level=level, over="seeds")


def test_an_interval_within_groups_is_that_of_an_analysis_of_variance():
    """The residual mean square of one-way groups, by statsmodels' formula: squares within groups by n − G."""
    rng = np.random.default_rng(4)
    groups = [list(rng.normal(mean, 0.5, size)) for mean, size in ((3.0, 4), (8.0, 4), (5.0, 3), (1.0, 1))]
    every = np.concatenate(groups)
    residual = sum(((np.array(group) - np.mean(group)) ** 2).sum() for group in groups) / (12 - 4)
    low, high = stats.t.interval(0.95, 12 - 4, loc=every.mean(), scale=np.sqrt(residual / 12))
    interval = within_interval([*groups, []], level=0.95)
    assert (interval.low, interval.high, interval.n) == (pytest.approx(low), pytest.approx(high), 12)
    assert interval.half_width < t_interval(list(every), level=0.95, over="seeds").half_width / 3


def test_one_group_is_students_t_and_single_values_have_no_freedom():
    values = [0.31, 0.35, 0.28, 0.4]
    assert within_interval([values], level=0.9) == t_interval(values, level=0.9, over="seeds")
    assert within_interval([[1.0], [2.0]], level=0.95) is None
    assert within_interval([], level=0.95) is None
