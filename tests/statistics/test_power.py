import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import Design, MeanEstimate
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.power import can_decide, can_reject, detectable_difference, power, reachable_equivalence


def seeds_design(seeds: int) -> Design:
    return estimator("student_t", level=0.95, searches=1).design(replicates=seeds, losses=2)


@pytest.mark.parametrize(("effect", "seeds", "alpha"), [(0.5, 34, 0.05), (1.0, 10, 0.05), (1.5, 10, 0.05 / 12)])
def test_equals_the_noncentral_t_distribution(effect, seeds, alpha):
    edge, shift = stats.t.isf(alpha / 2, seeds - 1), effect * math.sqrt(seeds)
    expected = stats.nct.sf(edge, seeds - 1, shift) + stats.nct.cdf(-edge, seeds - 1, shift)
    assert power(seeds_design(seeds), effect, alpha=alpha) == pytest.approx(expected, abs=1e-8)


def test_without_effect_the_power_is_the_level():
    assert power(seeds_design(5), 0.0, alpha=0.05) == pytest.approx(0.05, abs=1e-8)


@pytest.mark.parametrize(("seeds", "comparisons", "rho"), [(10, 1, 0.5), (10, 12, 0.0), (3, 4, 0.7)])
def test_equals_simulation(seeds, comparisons, rho):
    smallest = detectable_difference(seeds_design(seeds), comparisons=comparisons, level=0.95, wanted=0.8)
    difference = 0.4 * smallest * math.sqrt(1 - rho)
    rng, repeats = np.random.default_rng(seeds), 20_000
    shared = math.sqrt(rho) * rng.standard_normal((repeats, seeds))
    mine, base = (0.4 * (shared + math.sqrt(1 - rho) * rng.standard_normal((repeats, seeds))) for _ in range(2))
    p = stats.ttest_rel(mine + difference, base, axis=1).pvalue
    assert np.mean(p < 0.05 / comparisons) == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / repeats))


def test_searches_equal_simulation():
    # Eight losses of two searches each: the pooled residual has 7 degrees of freedom.
    design = estimator("searches_pooled", level=0.95, searches=2).design(replicates=10, losses=8)
    smallest = detectable_difference(design, comparisons=1, level=0.95, wanted=0.8)
    rng, repeats = np.random.default_rng(8), 20_000
    means = rng.standard_normal((repeats, 8, 2))
    means[:, 0] += smallest
    deviations = means - means.mean(axis=2, keepdims=True)
    residual = ((deviations - deviations.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2)) / 7
    t = (means[:, 0] - means[:, 1]).mean(axis=1) / np.sqrt(residual)  # 2 s² / M, with M = 2
    share = np.mean(np.abs(t) > stats.t.isf(0.025, 7))
    assert share == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / repeats))


def test_published_figures():
    # Ten paired seeds, in units of the seed-sd, without correlation: 1.41.
    assert detectable_difference(seeds_design(10), comparisons=1, level=0.95, wanted=0.8) == pytest.approx(
        1.41, abs=0.005
    )


def test_two_seeds_are_possible_and_hopeless():
    found = detectable_difference(seeds_design(2), comparisons=12, level=0.95, wanted=0.8)
    assert 100 < found / math.sqrt(2) < 200


@pytest.mark.parametrize(("seeds", "comparisons"), [(1, 1), (5, 0)])
def test_a_design_without_a_test(seeds, comparisons):
    with pytest.raises(ValueError, match=r"too few|needs at least"):
        detectable_difference(seeds_design(seeds), comparisons=comparisons, level=0.95, wanted=0.8)


def test_an_equivalence_is_reached_just_above_its_smallest_difference():
    # Tables of Student's t: 1.833 with 9 degrees of freedom, one-sided 5 %; ten seeds of two losses.
    assert reachable_equivalence(seeds_design(10), comparisons=1, level=0.95) == pytest.approx(
        1.833 * math.sqrt(2 / 10), abs=0.001
    )
    # Twelve losses of two searches: 11 degrees of freedom, and the error of a difference is one standard deviation.
    design = estimator("searches_pooled", level=0.95, searches=2).design(replicates=10, losses=12)
    bound = reachable_equivalence(design, comparisons=11, level=0.95)
    equal = MeanEstimate(0.0, 1.0, 11, n=2, method="searches_pooled", over="searches and seeds")
    assert equal.p_outside(1.001 * bound) < 0.05 / 11 < equal.p_outside(0.999 * bound)


def test_designs_that_can_never_reject():
    assert can_reject(seeds_design(2), comparisons=78)
    assert not can_reject(seeds_design(1), comparisons=1)
    assert not can_reject(seeds_design(10), comparisons=0)


@pytest.mark.parametrize(
    ("method", "searches", "runners_up", "losses", "possible"),
    [
        ("runners_up", 1, 1, 4, False),  # at most 4 · 1 / 2 = 2 degrees of freedom
        ("runners_up", 1, 1, 8, True),
        ("student_t", 1, 0, 12, False),
        ("student_t", 1, 4, 2, True),
        ("student_t", 2, 0, 2, True),
        ("class_bootstrap", 1, 0, 12, False),
        ("class_bootstrap", 2, 0, 12, True),
        ("searches_calibrated", 2, 1, 2, True),
        ("searches_calibrated", 2, 1, 1, False),
    ],
)
def test_a_verdict_needs_every_estimator_that_must_give_it(method, searches, runners_up, losses, possible):
    chosen = estimator(method, level=0.95, searches=searches, runners_up=runners_up)
    assert can_decide(chosen, replicates=10, losses=losses) is possible


@pytest.mark.parametrize(("runners_up", "freedom"), [(1, 4), (2, 8), (4, 16)])
def test_the_design_of_runners_up_is_that_of_the_protocol(runners_up, freedom):
    chosen = estimator("runners_up", level=0.95, searches=1, runners_up=runners_up)
    assert chosen.design(replicates=10, losses=8).freedom == freedom
