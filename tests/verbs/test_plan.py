"""`plan`: what a study costs, before any of it runs."""

from __future__ import annotations

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.cli.plan_summary import sentences
from realitycheck.errors import InputError


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


def test_an_equivalence_that_cannot_be_reached_is_refused_at_its_line(tmp_path):
    """Two seeds, two comparisons: Student's t with 1 degree of freedom is 12.7 at a one-sided 2.5 %, times √(2/2)."""
    read = verbs.load_study(write_study(tmp_path))
    with pytest.raises(InputError) as caught:
        verbs.plan_study(read, sd=0.5 / 12.6)
    (problem,) = caught.value.problems
    lines = read.path.read_text().splitlines()
    assert (problem.code, problem.where) == ("equivalence-unreachable", "smallest_difference")
    assert lines[problem.line - 1] == "smallest_difference: 0.5"


def test_a_stated_deviation_gives_points(tmp_path):
    plan = verbs.plan_study(verbs.load_study(write_study(tmp_path)), sd=0.5 / 12.8)
    assert plan.reachable == pytest.approx(12.706, abs=0.001)
    assert "no standard deviation" not in list(sentences(plan))[-1]
