"""Pairs by one threshold: against naive loops, and against scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve

from realitycheck.errors import InputError
from realitycheck.metrics.pair_thresholds import (
    cross_validated_accuracy,
    equal_error_rate,
    pair_curve,
    tar_at_far,
)


def drawn(seed: int, *, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping distances of 120 pairs; few levels make ties."""
    rng = np.random.default_rng(seed)
    same = rng.random(120) < 0.4
    values = rng.normal(np.where(same, 1.0, 2.0), 0.7)
    return np.round(values * levels) / levels, same


CASES = [drawn(seed, levels=levels) for seed in range(4) for levels in (3, 10**6)]


def best_of(distances: np.ndarray, same: np.ndarray) -> float:
    """The lowest of the best thresholds, in a loop over all of them."""
    known = sorted(set(distances.tolist()))
    candidates = [-np.inf, *((low + high) / 2 for low, high in itertools.pairwise(known)), known[-1]]
    correct = [sum((d <= t) == s for d, s in zip(distances, same, strict=True)) for t in candidates]
    return candidates[correct.index(max(correct))]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_accuracy_is_that_of_a_loop(case):
    distances, same = CASES[case]
    folds = np.arange(len(same)) % 10
    rates = []
    for fold in range(10):
        threshold = best_of(distances[folds != fold], same[folds != fold])
        inside = [(d <= threshold) == s for d, s, f in zip(distances, same, folds, strict=True) if f == fold]
        rates.append(sum(inside) / len(inside))
    assert cross_validated_accuracy(distances, same, folds) == pytest.approx(sum(rates) / 10, abs=1e-12)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_rates_are_those_of_scikit_learn(case):
    distances, same = CASES[case]
    fpr, tpr, _ = roc_curve(same, -distances, drop_intermediate=False)
    curve = pair_curve(distances, same)
    np.testing.assert_allclose((curve.far, curve.tar), (fpr, tpr), atol=1e-12)
    eer = brentq(lambda rate: 1 - rate - interp1d(fpr, tpr)(rate), 0.0, 1.0)
    assert equal_error_rate(curve) == pytest.approx(eer, abs=1e-9)
    fars = [0.1, 0.01, 0.001, 1.0]
    assert tar_at_far(curve, fars) == [max(tpr[fpr <= far]) for far in fars]


def test_equal_error_rate_by_hand():
    """Same at 1, 2 and 5, different at 3, 4 and 6: one of three is wrong on either side at a threshold of 3.5."""
    curve = pair_curve(np.array([1.0, 2.0, 5.0, 3.0, 4.0, 6.0]), np.array([1, 1, 1, 0, 0, 0], bool))
    assert equal_error_rate(curve) == pytest.approx(1 / 3)
    assert tar_at_far(curve, [0.0, 1 / 3, 0.99]) == [pytest.approx(2 / 3), pytest.approx(2 / 3), 1.0]
    apart = pair_curve(np.array([1.0, 3.0]), np.array([True, False]))
    assert equal_error_rate(apart) == 0.0
    assert apart.thresholds.tolist() == [-np.inf, 2.0, 3.0]


@pytest.mark.parametrize(
    ("distances", "same", "code"),
    [
        ([1.0, 2.0], [True], "pairs-shape"),
        ([1.0, np.nan], [True, False], "pairs-not-finite"),
        ([1.0, 2.0], [True, True], "pairs-of-one-kind"),
    ],
)
def test_what_is_refused(distances, same, code):
    with pytest.raises(InputError) as caught:
        pair_curve(np.array(distances), np.array(same))
    assert [problem.code for problem in caught.value.problems] == [code]
