import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.power import can_reject, detectable_difference

STUDENT_T = estimator("student_t", level=0.95, searches=1)


@pytest.mark.parametrize(("effect", "seeds", "alpha"), [(0.5, 34, 0.05), (1.0, 10, 0.05), (1.5, 10, 0.05 / 12)])
def test_equals_the_noncentral_t_distribution(effect, seeds, alpha):
    edge, shift = stats.t.isf(alpha / 2, seeds - 1), effect * math.sqrt(seeds)
    expected = stats.nct.sf(edge, seeds - 1, shift) + stats.nct.cdf(-edge, seeds - 1, shift)
    assert STUDENT_T.power(effect, replicates=seeds, alpha=alpha) == pytest.approx(expected, abs=1e-8)


def test_without_effect_the_power_is_the_level():
    assert STUDENT_T.power(0.0, replicates=5, alpha=0.05) == pytest.approx(0.05, abs=1e-8)


@pytest.mark.parametrize(("seeds", "comparisons", "rho"), [(10, 1, 0.5), (10, 12, 0.0), (3, 4, 0.7)])
def test_equals_simulation(seeds, comparisons, rho):
    difference = detectable_difference(
        STUDENT_T, seeds=seeds, comparisons=comparisons, power=0.8, sd=0.4, correlation=rho
    )
    rng, repeats = np.random.default_rng(seeds), 20_000
    shared = math.sqrt(rho) * rng.standard_normal((repeats, seeds))
    mine, base = (0.4 * (shared + math.sqrt(1 - rho) * rng.standard_normal((repeats, seeds))) for _ in range(2))
    p = stats.ttest_rel(mine + difference, base, axis=1).pvalue
    assert np.mean(p < 0.05 / comparisons) == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / repeats))


def test_published_figures():
    # Ten paired seeds, in units of the seed-sd: 1.41 without correlation, 1.00 at 0.5.
    design = {"seeds": 10, "comparisons": 1, "power": 0.8, "sd": 1.0}
    assert detectable_difference(STUDENT_T, **design, correlation=0.0) == pytest.approx(1.41, abs=0.005)
    assert detectable_difference(STUDENT_T, **design, correlation=0.5) == pytest.approx(1.00, abs=0.005)
    assert detectable_difference(STUDENT_T, **design, correlation=1.0) == 0


def test_two_seeds_are_possible_and_hopeless():
    found = detectable_difference(STUDENT_T, seeds=2, comparisons=12, power=0.8, sd=1.0, correlation=0.5)
    assert 100 < found < 200


@pytest.mark.parametrize("design", [{"seeds": 1, "comparisons": 1}, {"seeds": 5, "comparisons": 0}])
def test_a_design_without_a_test(design):
    with pytest.raises(ValueError, match="needs at least"):
        detectable_difference(STUDENT_T, **design, power=0.8, sd=1.0, correlation=0.5)


def test_designs_that_can_never_reject():
    assert can_reject(STUDENT_T, seeds=2, comparisons=78)
    assert not can_reject(STUDENT_T, seeds=1, comparisons=1)
    assert not can_reject(STUDENT_T, seeds=10, comparisons=0)
