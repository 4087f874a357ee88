"""What `plan` says of the length of a run, and of what is left."""

from __future__ import annotations

from realitycheck.cli.plan_summary import sentences
from realitycheck.plan.cost import START_SECONDS, Calibration, Cost, RunSeconds, Trainings, run_seconds
from realitycheck.protocol.read import read_study
from realitycheck.verbs import StudyPlan

SEEN = Calibration(2.0, 3.0, 5.0, 7.0, 11.0, 13)


def test_the_longest_runs_by_hand(study_path):
    """A cap of 30 iterations of 2 s, evaluated at 0, 10, 20 and 30 in 5 s each; complete runs have 30 of 3 s."""
    protocol = read_study(study_path).study.protocol
    longest = run_seconds(protocol, SEEN)
    assert longest == RunSeconds(fold=START_SECONDS + 30 * 2.0 + 4 * 5.0, complete=START_SECONDS + 30 * 3.0)


def lines(done: int) -> list[str]:
    plan = StudyPlan(
        trainings=Trainings(1, 1, 1, 0),
        searches=1,
        losses=1,
        datasets=1,
        measured={"birds": {"triplet": SEEN}},
        cost=Cost(40.0, 0),
        longest={"birds": {"triplet": RunSeconds(7200.0, 600.0)}},
        done=done,
        planned=80,
        detectable={},
        detectable_unit="",
        reachable=1.0,
        sd=None,
        smallest_difference=1.0,
    )
    return list(sentences(plan))


def test_the_length_of_a_run_and_what_is_left():
    """20 of 80 trainings are done, so three quarters of 40 worker-hours are left."""
    said = "\n".join(lines(20))
    assert "birds/triplet: at most 2.0 h for a fold run and 10 min for a complete run" in said
    assert "done: 20 of 80 trainings" in said and "about 30 worker-hours are left" in said
    assert "are left" not in "\n".join(lines(0))
