"""Thresholds of classes are those of pairs whose distances are computed class by class."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realitycheck.evaluations import distance_calibration
from realitycheck.evaluations.distance_calibration import DistanceCalibration
from realitycheck.evaluations.menu import COMMON, OWN, SPREAD
from realitycheck.metrics.class_thresholds import ClassPairs, class_thresholds
from realitycheck.metrics.drawn_pairs import class_pairs, pair_distances
from realitycheck.plan.seeds import derive

LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 3, 3, 3, 3])


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_all_points_are_converted_once(distance, monkeypatch):
    own, calls = distance_calibration.compared, []
    monkeypatch.setattr(distance_calibration, "compared", lambda *args, **named: calls.append(1) or own(*args, **named))
    points = torch.randn(len(LABELS), 6, generator=torch.Generator().manual_seed(1))
    found = DistanceCalibration("4-7").measured(points, LABELS, distance=distance)
    assert calls == [1]
    draws, classes = derive(7, "calibration", "pairs"), []
    for label in (0, 1, 3):
        pairs = class_pairs(LABELS.numpy(), label=label, pairs=4, seed=draws)
        classes.append(ClassPairs(pair_distances(points, pairs, distance=distance), pairs.same))
    best = class_thresholds(classes)
    assert (found[SPREAD], found[OWN], found[COMMON]) == (best.spread, float(np.mean(best.own)), best.common)
