"""Costs worked out by hand."""

from __future__ import annotations

import pytest
from small_study import PROTOCOL, write_study

from realitycheck.plan.cost import Calibration, impatient, longest_complete, loss_cost, trainings, untrained_cost
from realitycheck.protocol.read import read_study

SEEN = Calibration(step=1.0, complete_step=2.0, evaluation=3.0, fold_score=40.0, complete_score=10.0, weights_bytes=100)


@pytest.fixture
def protocol(tmp_path):
    return read_study(write_study(tmp_path)).study.protocol


def test_trainings(protocol):
    """3 trials × 2 folds; 2 seeds × 2 folds; 2 seeds."""
    told = trainings(protocol)
    assert (told.search, told.folds, told.complete, told.total) == (6, 4, 2, 12)


def test_one_loss(protocol):
    """A fold run: 0.5 + 30 steps + 4 validations of 3 s. A complete run: 0.5 + 30 × 2. Scores: 2 × (1 + 50)."""
    seconds = 3 * 0.5 + 10 * 42.5 + 2 * 60.5 + 2 * 51
    told = loss_cost(protocol, SEEN)
    assert told.worker_hours == pytest.approx(seconds / 3600)
    assert told.disk_bytes == 600


def test_the_shortest_runs_end_with_their_patience(protocol):
    """A patience of 2 evaluations, one every 10 iterations: 20 steps and 3 validations, and 20 steps of 2 s."""
    seconds = 3 * 0.5 + 10 * (0.5 + 20 + 9) + 2 * 40.5 + 2 * 51
    assert loss_cost(impatient(protocol), SEEN).worker_hours == pytest.approx(seconds / 3600)


def test_untrained_rows(protocol):
    told = untrained_cost(protocol, SEEN)
    assert told.worker_hours == pytest.approx((6 * 0.5 + 2 * 2 * 51) / 3600)


def test_complete_runs_are_rounded_up(tmp_path):
    text = PROTOCOL.replace("cap: 30, evaluate_every: 10", "cap: 31, evaluate_every: 20")
    per_replicate = read_study(write_study(tmp_path / "a", protocol=text)).study.protocol
    assert longest_complete(per_replicate) == 40
    appendix = text.replace("per_replicate", "appendix_d")  # five epochs of 10 iterations
    assert longest_complete(read_study(write_study(tmp_path / "b", protocol=appendix)).study.protocol) == 50
