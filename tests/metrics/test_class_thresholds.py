"""Thresholds of classes: by hand, and against a naive loop."""

from __future__ import annotations

import numpy as np
import pytest

from realitycheck.metrics.class_thresholds import ClassPairs, class_thresholds


def pairs_of(same: list[float], different: list[float]) -> ClassPairs:
    return ClassPairs(np.array([*same, *different]), np.arange(len(same) + len(different)) < len(same))


def test_one_threshold_serves_all():
    best = class_thresholds([pairs_of([1.0, 2.0], [5.0, 6.0]), pairs_of([1.5], [5.5, 7.0])])
    assert best.thresholds.tolist() == [3.5, 3.5]
    assert (best.own.tolist(), best.common, best.spread) == ([1.0, 1.0], 1.0, 0.0)
    assert best.places.tolist() == [0.5, 0.5]


def test_two_classes_on_two_scales():
    """Class one is separated at 1.5, class two at 15: at 1.5 class two accepts nothing, at 15 class one everything."""
    best = class_thresholds([pairs_of([1.0], [2.0]), pairs_of([10.0], [20.0])])
    assert best.thresholds.tolist() == [1.5, 15.0]
    assert best.places.tolist() == [0.25, 0.75]
    assert best.common == pytest.approx(0.75)
    assert best.spread == pytest.approx(0.25)  # quartiles of two numbers, by linear interpolation


@pytest.mark.parametrize("seed", range(3))
def test_a_naive_loop(seed):
    rng = np.random.default_rng(seed)
    classes = [
        pairs_of(
            np.round(rng.normal(1 + shift, 0.5, 7), 1).tolist(), np.round(rng.normal(2 + shift, 0.5, 9), 1).tolist()
        )
        for shift in rng.random(4)
    ]

    def accuracy(pairs: ClassPairs, threshold: float) -> float:
        accepted = pairs.distances <= threshold
        return (accepted[pairs.same].mean() + 1 - accepted[~pairs.same].mean()) / 2

    best = class_thresholds(classes)
    candidates = {-1.0, *(value for pairs in classes for value in pairs.distances.tolist())}
    every = [[accuracy(pairs, candidate) for pairs in classes] for candidate in candidates]
    assert best.common == pytest.approx(max(np.mean(rates) for rates in every))
    np.testing.assert_allclose(best.own, np.max(every, axis=0))
    for place, threshold in zip(best.places, best.thresholds, strict=True):
        shares = [
            ((p.distances <= threshold)[p.same].mean() + (p.distances <= threshold)[~p.same].mean()) / 2
            for p in classes
        ]
        assert place == pytest.approx(np.mean(shares))
