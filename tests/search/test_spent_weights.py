"""Weights are kept for as long as a score or a list of neighbours may ask for them, and no longer."""

from __future__ import annotations

import random

import pytest
import standins
from small_study import write_study
from test_schedule import SEVERAL, plan_of

from realitycheck.records.from_json import read_record
from realitycheck.records.nearest_images import NeighborLists
from realitycheck.records.schema import Run, Score, of_type
from realitycheck.runs import Stage
from realitycheck.search.agenda import Agenda

pytestmark = pytest.mark.usefixtures("no_pause")


@pytest.fixture(params=["one search", "two searches"])
def plan(request, tmp_path):
    """Two replicates of each search."""
    several = request.param == "two searches"
    return plan_of(write_study(tmp_path / "home", **({"protocol": SEVERAL} if several else {})))


def play(plan, cache, *, seed):
    """A whole study in an order drawn by seed; spent weights are deleted, and no job is done twice."""
    agenda, order = Agenda([plan], [], []), random.Random(seed)
    while jobs := list(agenda.ready()):
        job = order.choice(jobs)
        assert job.id not in agenda.records, f"{job.title} is done again"
        for run_id in agenda.accept(job, read_record(standins.answer(job, cache)), weights_stored=True):
            (cache / "weights" / f"{run_id}.safetensors").unlink(missing_ok=True)
    return agenda.records


@pytest.mark.parametrize("seed", range(8))
def test_no_order_makes_a_run_again_or_leaves_weights(plan, tmp_path, seed):
    records = play(plan, tmp_path, seed=seed)
    assert len(of_type(records.values(), NeighborLists)) == 4  # three losses and the untrained models
    scored = {model for score in of_type(records.values(), Score) for model in score.spec.models}
    assert {path.stem for path in (tmp_path / "weights").iterdir()}.isdisjoint(scored)


def test_a_model_is_kept_for_the_list_until_the_one_before_it_is_known(plan, tmp_path):
    """Of two replicates the second is scored first; the list is then of the first one, unless that has diverged."""
    records = play(plan, tmp_path, seed=0)
    replicates = {}
    for run in of_type(records.values(), Run):
        if run.spec.loss and run.spec.stage is Stage.FINAL and run.spec.fold is None and run.spec.search == 0:
            replicates.setdefault(run.spec.loss["label"], {})[run.spec.index] = run
    whole = {label: pair for label, pair in replicates.items() if not any(run.diverged for run in pair.values())}
    assert whole
    for label, pair in whole.items():
        (earlier, first), (later, second) = sorted(pair.items())
        own = [one for one in records.values() if isinstance(one, Score | NeighborLists)]
        gone = {one.id for one in own if {first.id, second.id} & set(one.spec.models)} | {first.id}
        agenda = Agenda([plan], [one for key, one in records.items() if key not in gone], [second.id])

        def answer(kind, title, agenda=agenda, label=label):
            jobs = [job for job in agenda.ready() if job.kind == kind and label in job.group and title in job.title]
            return agenda.accept(jobs[0], records[jobs[0].id], weights_stored=True)

        assert answer("score", f"replicate {later + 1}/") == (), "the list may be of it"
        assert answer("run", f"replicate {earlier + 1}/") == ()
        assert answer("score", f"replicate {earlier + 1}/") == (), "the list is of it"
        assert sorted(answer("neighbors", "")) == sorted([first.id, second.id])
