"""Tests of printed means and half-widths, against scipy, simulation and numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import Design
from realitycheck.statistics.power import detectable, power
from realitycheck.statistics.printed_means import PrintedMean, judge_family, welch

PRINTED = [
    # (mean, half-width, n) twice; the first is MAP@R of Warped-Softmax and ProxyNCA++, table VI of DeMoor and Prevost.
    ((26.76, 0.25, 10), (25.96, 0.41, 10)),
    ((46.81, 0.08, 10), (33.02, 9.07, 10)),
    ((61.5, 2.0, 3), (60.0, 0.5, 25)),
]


def printed(cell, level=0.95):
    mean, half, n = cell
    return PrintedMean(mean, half, n, level)


def family(*pairs):
    return [(printed(first), printed(second)) for first, second in pairs]


def test_the_deviation_of_a_run_by_hand():
    """t(0.975, 9) is 2.262157 in every table: 0.25 · √10 / 2.262157 = 0.349476."""
    assert printed((26.76, 0.25, 10)).deviation == pytest.approx(0.349476, abs=1e-6)
    assert printed((26.76, 0.25, 10)).error == pytest.approx(0.25 / 2.26216, rel=1e-5)


def test_an_interval_of_runs_gives_their_deviation():
    runs = np.random.default_rng(3).normal(20, 0.4, 10)
    half = stats.sem(runs) * stats.t.ppf(0.975, 9)
    assert printed((runs.mean(), half, 10)).deviation == pytest.approx(runs.std(ddof=1))


@pytest.mark.parametrize(("first", "second"), PRINTED)
def test_welchs_test_is_that_of_scipy(first, second):
    a, b = printed(first), printed(second)
    theirs = stats.ttest_ind_from_stats(a.mean, a.deviation, a.n, b.mean, b.deviation, b.n, equal_var=False)
    ours = welch(a, b, search_sd=0.0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.mean / ours.error == pytest.approx(theirs.statistic)


def test_satterthwaites_degrees_of_freedom_by_hand():
    """Equal errors over n runs each: 2 (n − 1). A mean without noise: n − 1 of the other."""
    same = printed((1.0, 0.3, 10)), printed((2.0, 0.3, 10))
    assert welch(*same, search_sd=0.0).freedom == pytest.approx(18)
    assert welch(same[0], printed((2.0, 0.0, 10)), search_sd=0.0).freedom == pytest.approx(9)


def test_luck_adds_twice_its_variance_and_counts_as_known():
    first, second = printed((1.0, 0.3, 10)), printed((2.0, 0.3, 10))
    bare, lucky = welch(first, second, search_sd=0.0), welch(first, second, search_sd=0.5)
    assert lucky.error**2 == pytest.approx(bare.error**2 + 2 * 0.25)
    assert lucky.freedom == pytest.approx(18 * (lucky.error / bare.error) ** 4)
    assert welch(printed((1.0, 0.0, 10)), printed((2.0, 0.0, 10)), search_sd=0.5).freedom == math.inf


def test_without_noise_of_runs_the_luck_survived_is_by_hand():
    """One difference of 1.96 points is significant while √2 · s is below 1.96 / 1.959964."""
    (only,) = judge_family(family(((11.96, 0.0, 10), (10.0, 0.0, 10))), alpha=0.05, wanted=0.8)
    assert only.survives == pytest.approx(1.96 / 1.959964 / math.sqrt(2), rel=1e-6)


def test_the_luck_survived_is_where_the_corrected_p_value_is_alpha():
    """Two differences: the larger is tested at α / 2, the smaller at α once the larger is rejected."""
    pairs = family(((22.0, 0.3, 10), (20.0, 0.2, 10)), ((21.2, 0.3, 10), (20.0, 0.2, 10)))
    large, small = judge_family(pairs, alpha=0.05, wanted=0.8)
    assert welch(*pairs[0], search_sd=large.survives).p == pytest.approx(0.025, rel=1e-6)
    assert welch(*pairs[1], search_sd=small.survives).p == pytest.approx(0.05, rel=1e-6)


def test_a_difference_waits_for_the_larger_one():
    """Of two equal differences neither is rejected before both p-values are at most α / 2."""
    pairs = family(((21.2, 0.3, 10), (20.0, 0.3, 10)), ((21.2, 0.3, 10), (20.0, 0.3, 10)))
    for one in judge_family(pairs, alpha=0.05, wanted=0.8):
        assert welch(*pairs[0], search_sd=one.survives).p == pytest.approx(0.025, rel=1e-6)


def test_holm_by_hand_and_what_is_not_significant_survives_nothing():
    """With p₁ < p₂ the corrected values are 2 p₁ and p₂."""
    pairs = family(((20.5, 0.3, 10), (20.0, 0.3, 10)), ((20.3, 0.3, 10), (20.0, 0.3, 10)))
    first, second = judge_family(pairs, alpha=0.05, wanted=0.8)
    theirs = [
        stats.ttest_ind_from_stats(a.mean, a.deviation, a.n, b.mean, b.deviation, b.n, equal_var=False).pvalue
        for a, b in pairs
    ]
    assert (first.p_holm, second.p_holm) == (pytest.approx(2 * theirs[0]), pytest.approx(theirs[1]))
    assert theirs[1] > 0.05 and second.survives is None
    assert theirs[0] < 0.025 and first.survives > 0


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 6, 0.05 / 13])
@pytest.mark.parametrize("freedom", [2, 3, 9, 14, 18])
def test_the_detectable_difference_has_the_wanted_power(alpha, freedom):
    """`power` integrates a normal mean over a chi-distributed deviation, and counts both tails."""
    n = 10
    pair = printed((21.0, 0.3, n)), printed((20.0, 0.3, n))
    estimate = welch(*pair, search_sd=0.0)
    fixed = type(estimate)(estimate.mean, estimate.error, freedom, n=n, method="welch", over="runs")
    effect = detectable(fixed, alpha=alpha, wanted=0.8) / fixed.error / math.sqrt(n)
    assert power(Design(n, freedom, "a run"), effect, alpha=alpha) == pytest.approx(0.8, abs=1e-4)


def test_the_detectable_difference_of_a_family_is_at_alpha_divided_by_its_size():
    """By power: each of three differences is found in 80 % of all cases at 0.05 / 3."""
    pairs = family(*[((20.5 + more, 0.3, 10), (20.0, 0.3, 10)) for more in (0.0, 0.1, 0.2)])
    for one in judge_family(pairs, alpha=0.05, wanted=0.8):
        effect = one.detectable / one.estimate.error / math.sqrt(10)
        assert power(Design(10, 18, "a run"), effect, alpha=0.05 / 3) == pytest.approx(0.8, abs=1e-4)


def test_simulated_tables_of_equal_losses_reject_as_often_as_promised():
    """Ten runs after one search each: at the true deviation between searches 5 % are rejected, at none far more."""
    rng = np.random.default_rng(11)
    repeats, n, run, search = 600, 10, 0.35, 0.5
    runs = rng.normal(rng.normal(20, search, (repeats, 2, 1)), run, (repeats, 2, n))
    means = runs.mean(axis=2)
    halves = stats.t.ppf(0.975, n - 1) * runs.std(axis=2, ddof=1) / math.sqrt(n)
    rejected = {0.0: 0, search: 0}
    for (first, second), (one, two) in zip(means, halves, strict=True):
        pair = printed((first, one, n)), printed((second, two, n))
        for luck in rejected:
            rejected[luck] += welch(*pair, search_sd=luck).p < 0.05
    assert rejected[search] / repeats == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / repeats))
    assert rejected[0.0] / repeats > 0.5
