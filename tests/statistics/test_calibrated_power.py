"""The power of `searches_calibrated` before any training, against studies that its own code fits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from error_rates import RULES, Estimates, Share
from scipy import stats
from simulated_studies import Luck, study

from realitycheck.statistics.base import Design
from realitycheck.statistics.calibrated_power import calibrated, calibrated_errors
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.power import detectable_difference, power, reachable_equivalence

SEED = 0.13
STUDIES = 400


def designs(searches, share, losses):
    """That of `searches_pooled`, and with the standard errors of `searches_calibrated`."""
    pooled = estimator("searches_pooled", level=0.95, searches=searches).design(
        replicates=searches * share, losses=losses
    )
    return pooled, calibrated(pooled, replicates=searches * share, losses=losses, near=5, few=losses <= 3)


@pytest.mark.parametrize(("searches", "share", "losses"), [(2, 5, 12), (3, 4, 12), (2, 5, 4), (2, 5, 3)])
def test_its_difference_is_found_in_four_studies_of_five_and_that_of_pooled_is_not(searches, share, losses):
    """Fails only if the 99.9 % interval of the simulated power is wholly outside 0.77 to 0.83."""
    rng, luck = np.random.default_rng(9), Luck(search=(SEED,) * losses, shared=0.0, seed=SEED)
    drawn = [study(rng, luck, searches=searches, replicates=share, effects=(0.0,) * losses) for _ in range(STUDIES)]
    found = Estimates.of(RULES["searches_calibrated"](level=0.95, searches=searches), drawn)
    deviation = SEED * math.sqrt(1 + 1 / share)
    pooled, own = (
        detectable_difference(design, comparisons=losses - 1, level=0.95, wanted=0.8)
        for design in designs(searches, share, losses)
    )

    def hits(difference):
        shift = np.zeros(losses - 1)
        shift[0] = difference * deviation
        return found.different(shift)[:, 0] == 1

    count = int(hits(own).sum())
    bounds = stats.binomtest(count, STUDIES).proportion_ci(0.999)
    assert bounds.low < 0.83
    assert bounds.high > 0.77
    assert Share.of(hits(pooled)).high < 0.77


def test_one_standard_error_that_is_known_gives_the_normal_power():
    """Φ(δ√M − t·c) and the other tail, for c = 1.2: by scipy's normal distribution."""
    design, edge = Design(2, 11, "a search", errors=(1.2,)), stats.t.isf(0.025, 11)
    expected = stats.norm.sf(1.2 * edge - 2 * math.sqrt(2)) + stats.norm.cdf(-1.2 * edge - 2 * math.sqrt(2))
    assert power(design, 2.0, alpha=0.05) == pytest.approx(expected, abs=1e-12)
    plain = replace(design, errors=())
    assert (plain.error, replace(design, errors=(3.0, 4.0)).error) == (1.0, pytest.approx(math.sqrt(12.5)))
    sizes = [reachable_equivalence(one, comparisons=1, level=0.95) for one in (plain, design)]
    assert sizes[1] == pytest.approx(1.2 * sizes[0], rel=1e-12)


def test_the_factor_is_that_of_kappa_where_the_variances_are_known():
    """With many near-best settings and seeds: √max(1, χ² / df), with (L − 1)(M − 1) degrees of freedom."""
    errors = np.array(calibrated_errors(losses=12, searches=2, share=100, near=200, few=False))
    quantiles = stats.chi2(11).ppf((np.arange(100_000) + 0.5) / 100_000) / 11
    assert errors.mean() == pytest.approx(np.sqrt(np.maximum(1, quantiles)).mean(), abs=0.02)


def test_the_same_design_has_the_same_errors():
    first, second = (calibrated_errors(losses=4, searches=2, share=2, near=2, few=False) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("replicates", "losses", "near"), [(2, 4, 5), (10, 4, 1), (10, 1, 5)])
def test_where_the_fit_would_be_that_of_pooled_the_design_is(replicates, losses, near):
    pooled = Design(2, 3, "a search")
    assert calibrated(pooled, replicates=replicates, losses=losses, near=near, few=False) == pooled


def test_a_large_design_is_simulated_in_little_memory():
    errors = calibrated_errors(losses=200, searches=50, share=2, near=5, few=False)
    assert 100 < len(errors) < 1000
    assert np.median(errors) == pytest.approx(1, abs=0.1)


def test_searches_calibrated_is_planned_with_its_own_standard_errors():
    """With as many runners-up as the protocol scores; without any its fit is that of `searches_pooled`."""
    pooled, expected = designs(2, 5, 12)
    own = [
        estimator("searches_calibrated", level=0.95, searches=2, runners_up=number).design(replicates=10, losses=12)
        for number in (4, 0)
    ]
    assert own == [expected, pooled]
    assert expected.errors
