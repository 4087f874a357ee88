"""Phase lengths of complete runs, worked out by hand."""

from __future__ import annotations

import pytest

from realitycheck.plan.lengths import complete_phases
from realitycheck.protocol.model import Phase
from realitycheck.records.curves import Images, PhaseEnd
from realitycheck.records.schema import Run
from realitycheck.runs import Outcome

NORMAL = Phase(name="normal", cap=1000, evaluate_every=100, patience=3)
FOLLOWUP = Phase(name="followup", cap=1000, evaluate_every=50, patience=3)


def fold_run(*selected: int, outcome: Outcome = Outcome.COMPLETED) -> Run:
    """A run whose phases selected the checkpoints at these iterations; its spec does not matter here."""
    names = ("normal", "followup")
    phases = tuple(PhaseEnd(name, 1000, best, "cap") for name, best in zip(names, selected, strict=False))
    return Run(None, outcome, None, None, (), phases, Images(train=90, val=30), None, ())


def lengths(runs, *, rule, phases=(NORMAL,), epoch=100):
    found = complete_phases(runs, rule=rule, phases=phases, epoch=epoch, batch_size=32)
    return found and {each["name"]: each["iterations"] for each in found}


def test_per_replicate_rounds_the_mean_up_to_an_evaluation():
    # mean of 100, 200, 200, 300 is 200; of 100, 200, 200, 301 it is 200.25, hence 300
    assert lengths([fold_run(n) for n in (100, 200, 200, 300)], rule="per_replicate") == {"normal": 200}
    assert lengths([fold_run(n) for n in (100, 200, 200, 301)], rule="per_replicate") == {"normal": 300}


def test_appendix_d_rounds_epochs_up_to_five():
    # epochs 3 and 8: mean 5.5 → 10 epochs of 100
    assert lengths([fold_run(300), fold_run(800)], rule="appendix_d") == {"normal": 1000}


def test_appendix_d_normal_is_total_minus_followup():
    # totals 6 + 2 and 10 + 4: mean 11 → 15; follow-up mean 3 → 5; normal 10
    runs = [fold_run(600, 200), fold_run(1000, 400)]
    found = lengths(runs, rule="appendix_d", phases=(NORMAL, FOLLOWUP))
    assert found == {"normal": 1000, "followup": 500}


def test_a_pass_is_longer_on_all_of_trainval():
    # 90 images in batches of 32: 3 iterations a pass; 12 iterations are 4 passes → 5; 120 images: 4 a pass
    assert lengths([fold_run(12)], rule="appendix_d", epoch="pass") == {"normal": 20}


def test_diverged_runs_do_not_count_and_none_left_gives_none():
    runs = [fold_run(200), fold_run(outcome=Outcome.DIVERGED)]
    assert lengths(runs, rule="per_replicate") == {"normal": 200}
    assert lengths([fold_run(outcome=Outcome.DIVERGED)], rule="per_replicate") is None


def test_a_phase_that_brought_nothing_is_left_out():
    assert lengths([fold_run(200, 0)], rule="per_replicate", phases=(NORMAL, FOLLOWUP)) == {"normal": 200}


def test_appendix_d_may_leave_no_normal_phase():
    # 4 normal epochs and 1 of the follow-up: total 5, follow-up 1 → 5, normal 0
    found = lengths([fold_run(400, 100)], rule="appendix_d", phases=(NORMAL, FOLLOWUP))
    assert found == {"followup": 500}


@pytest.mark.parametrize("rule", ["appendix_d", "per_replicate"])
def test_fold_runs_that_selected_iteration_0_leave_no_phase(rule):
    assert complete_phases([fold_run(0)], rule=rule, phases=(NORMAL,), epoch=100, batch_size=32) == ()


def test_one_that_selected_iteration_0_counts_in_the_mean():
    # of 0 and 300 the mean is 150, hence 200
    assert lengths([fold_run(0), fold_run(300)], rule="per_replicate") == {"normal": 200}
