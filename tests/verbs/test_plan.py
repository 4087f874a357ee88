"""`plan`: what a study costs, before any of it runs."""

from __future__ import annotations

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.cli.plan_summary import sentences


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    study, told = write_study(tmp_path_factory.mktemp("plan")), []
    plan = verbs.plan_study(verbs.load_study(study), watch=lambda title, done, count: told.append((title, done, count)))
    return plan, told, study


def test_it_counts_trainings(planned):
    """Three trials of two folds; two seeds of two folds and one complete run."""
    plan, _, _ = planned
    assert (plan.trainings.search, plan.trainings.folds, plan.trainings.complete) == (6, 4, 2)
    assert (plan.losses, plan.datasets) == (3, 1)


def test_it_measures_every_loss_and_tells_how_far_it_is(planned):
    plan, told, _ = planned
    assert {name: set(losses) for name, losses in plan.measured.items()} == {
        "pictures": {"contrastive", "triplet", "normalized_softmax"}
    }
    assert [each[1:] for each in told if each[0] == "calibrations"] == [(0, 3), (1, 3), (2, 3)]
    assert plan.cost.worker_hours > 0


def test_nothing_is_recorded_and_the_test_half_stays_shut(planned):
    folder = planned[2].parent / "small"
    assert not (folder / "ledger").exists()
    assert not (folder / "attempts").exists()


def test_its_sentences_name_every_loss(planned):
    told = "\n".join(sentences(planned[0]))
    assert all(f"measured, pictures/{name}: " in told for name in ("contrastive", "triplet", "normalized_softmax"))
    assert "smallest difference to the baseline" in told
