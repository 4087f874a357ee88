"""Intervals over classes against naive sums and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.class_bootstrap import two_way_variance
from realitycheck.statistics.estimators import estimator


def test_the_variance_of_a_table_by_loops():
    rng = np.random.default_rng(0)
    cells = rng.normal(0, 1, (12, 4)) + rng.normal(0, 2, (12, 1)) + rng.normal(0, 0.5, (1, 4))
    mean = cells.sum() / 48
    rows = sum((sum(row) / 4 - mean) ** 2 for row in cells) / 11 / 12
    columns = sum((sum(column) / 12 - mean) ** 2 for column in cells.T) / 3 / 4
    both = sum((cells[c, h] - mean) ** 2 for c, h in itertools.product(range(12), range(4))) / 47 / 48
    assert two_way_variance(cells) == pytest.approx(max(rows, columns, rows + columns - both))


def test_it_covers_new_classes_and_a_percentile_bootstrap_of_seeds_would_not():
    rng, inside, repeats = np.random.default_rng(1), 0, 600
    rule = estimator("class_bootstrap", level=0.95, searches=1)
    for _ in range(repeats):
        cells = rng.normal(0.1, 0.2, (20, 1)) + rng.normal(0, 0.05, (1, 10)) + rng.normal(0, 0.05, (20, 10))
        scores = {"a": LossScores(list(cells.mean(axis=0)), (), tuple(map(tuple, cells.T)))}
        interval = rule.fit(scores, losses=1).loss("a").interval(0.95)
        inside += interval.low <= 0.1 <= interval.high
    low, high = stats.binomtest(inside, repeats).proportion_ci(0.99)
    assert low <= 0.97 and high >= 0.93


def test_few_classes_or_a_missing_replicate_give_no_interval():
    rule = estimator("class_bootstrap", level=0.95, searches=1)
    nine = LossScores([0.1, 0.2], (), (tuple(np.linspace(0, 1, 9)),) * 2)
    holed = LossScores([0.1, None], (), (tuple(np.linspace(0, 1, 20)), None))
    fit = rule.fit({"nine": nine, "holed": holed}, losses=2)
    assert fit.loss("nine") is None
    assert fit.loss("holed") is None
