"""What `plan` says of the length of a run, and of what is left."""

from __future__ import annotations

from dataclasses import replace

from realitycheck.cli.plan_summary import sentences, wall_sentences
from realitycheck.plan.cost import START_SECONDS, Calibration, Cost, RunSeconds, Trainings, run_seconds
from realitycheck.plan.job_graph import JobGraph, JobNode
from realitycheck.protocol.read import read_study
from realitycheck.verbs import StudyPlan
from realitycheck.verbs.durations import PlannedJobs

JOBS = JobGraph()
JOBS.nodes = [JobNode("a", (0,), 3600.0, ()), *(JobNode("a", (1,), 3600.0, (0,)) for _ in range(4))]
"""An hour, and then four hours that can run at once."""

SEEN = Calibration(2.0, 3.0, 5.0, 7.0, 11.0, 13)


def test_the_longest_runs_by_hand(study_path):
    """A cap of 30 iterations of 2 s, evaluated at 0, 10, 20 and 30 in 5 s each; complete runs have 30 of 3 s."""
    protocol = read_study(study_path).study.protocol
    longest = run_seconds(protocol, SEEN)
    assert longest == RunSeconds(fold=START_SECONDS + 30 * 2.0 + 4 * 5.0, complete=START_SECONDS + 30 * 3.0)


def planned(done: int, *, own: int = 0) -> StudyPlan:
    return StudyPlan(
        trainings=Trainings(1, 1, 1, 0),
        searches=1,
        losses=1,
        datasets=1,
        measured={"birds": {"triplet": SEEN}},
        failed={},
        cost=Cost(40.0, 0),
        least_hours=8.0,
        longest={"birds": {"triplet": RunSeconds(7200.0, 600.0)}},
        jobs=PlannedJobs(JOBS, own=own, pilot=0, measured=True),
        done=done,
        planned=80,
        detectable={},
        detectable_unit="",
        reachable=1.0,
        sd=None,
        sd_freedom=None,
        smallest_difference=1.0,
        undecided="",
        agreement="",
        swept=0,
        defaults=0,
    )


def lines(done: int) -> list[str]:
    return list(sentences(planned(done)))


def test_the_length_of_a_run_and_what_is_left():
    """20 of 80 trainings are done, so three quarters of 40 worker-hours are left."""
    said = "\n".join(lines(20))
    assert "birds/triplet: at most 2.0 h for a fold run and 10 min for a complete run" in said
    assert "done: 20 of 80 trainings" in said and "about 30 worker-hours are left" in said
    assert "are left" not in "\n".join(lines(0))


def test_the_wall_time_of_two_workers():
    """An hour alone, then two times two: three hours, and five of six worker-hours used. Four need two hours."""
    time, least, source = wall_sentences(planned(0), 2)
    assert "about 3.0 h on 2 workers" in time and "83 %" in time
    assert "2.0 h" in least and "4 workers" in least
    assert "as measured" in source


def test_the_time_is_a_range_with_its_bound_and_what_finished_jobs_say():
    said = "\n".join(lines(0))
    assert "time: 8 worker-hours" in said and "at most 40 if every run reaches its cap" in said
    assert "expected" not in said
    assert "expected: 5 worker-hours, by 3 finished jobs" in "\n".join(sentences(planned(0, own=3)))


def test_jobs_that_fit_on_a_gpu():
    """80 GB hold 12 jobs of 6 GB and 0.6 GB of context each, 79.2 GB; a CPU has no such number."""
    seen = Calibration(2.0, 3.0, 5.0, 7.0, 11.0, 13, memory_bytes=6 * 10**9, device_bytes=80 * 10**9)
    plan = replace(planned(0), measured={"birds": {"triplet": seen}})
    assert "about 6 GB for each job" in "\n".join(sentences(plan))
    assert "80 GB hold `--per-device 12`" in "\n".join(sentences(plan))
    on_cpu = replace(seen, device_bytes=0)
    assert "--per-device" not in "\n".join(sentences(replace(plan, measured={"birds": {"triplet": on_cpu}})))
