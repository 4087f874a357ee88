"""The scheduler: what it asks for, that order does not matter, and that the incremental form is the plain one."""

from __future__ import annotations

import random

import pytest
import standins

from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.parse import read_study
from realitycheck.records.evidence import gather
from realitycheck.runs import by_kind
from realitycheck.search.agenda import Agenda
from realitycheck.search.todo import todo

SEEDS, FOLDS, TRIALS, LOSSES = 2, 2, 3, 3


@pytest.fixture
def plan(study_path) -> DatasetPlan:
    return DatasetPlan(study=read_study(study_path).study, dataset="pictures", data="d" * 64, test="t" * 64)


def answer(job, cache):
    place = {"place": {"cache": str(cache)}}
    if job.kind == "opening":
        return job.payload
    if job.kind == "proposal":
        asked = job.payload
        knobs = {name: standins.chance(asked["id"], name) for name in asked["space"]}
        keys = ("id", "search", "data", "dataset", "loss", "slot")
        return {"kind": "proposal", **{key: asked[key] for key in keys}, "knobs": knobs, "source": "random"}
    return (standins.run if job.kind == "run" else standins.score)(job.payload | place)


def play(plan, tmp_path, *, seed):
    """A whole study, jobs answered in an order drawn by seed; the records."""
    agenda, order = Agenda([plan], [], []), random.Random(seed)
    while jobs := list(agenda.ready()):
        job = order.choice(jobs)
        assert job.id not in agenda.records or job.kind == "run"
        agenda.accept(job, answer(job, tmp_path), made_here=True)
        again = todo(plan, agenda.records, agenda.weights)
        assert {each.id for each in agenda.ready()} == {each.id for each in again}
    return agenda.records


def test_the_order_of_completion_does_not_matter(plan, tmp_path):
    first = play(plan, tmp_path, seed=0)
    for seed in (1, 2):
        assert play(plan, tmp_path, seed=seed) == first


def test_exactly_as_many_records_as_promised(plan, tmp_path):
    records = play(plan, tmp_path, seed=0).values()
    assert len(by_kind(records, "proposal")) == LOSSES * TRIALS
    runs = by_kind(records, "run")
    assert sum(run["spec"]["stage"] == "search" for run in runs) == LOSSES * TRIALS * FOLDS
    assert sum(run["spec"]["loss"] is None for run in runs) == SEEDS * (FOLDS + 1)
    assert len(by_kind(records, "opening")) == 1
    (evidence,) = [gather(plan, {body["id"]: body for body in records})]
    for loss in evidence.losses:
        assert len(loss.replicates) == SEEDS
        for each in loss.replicates:
            whole = each.diverged == 0
            assert (each.fold_score is not None and each.complete_score is not None) == whole


def test_no_score_before_the_opening_and_no_opening_before_the_last_search(plan, tmp_path):
    agenda = Agenda([plan], [], [])
    opened = False
    while jobs := list(agenda.ready()):
        kinds = {job.kind for job in jobs}
        if not opened:
            assert "score" not in kinds
        if "opening" in kinds:
            searched = [run for run in by_kind(agenda.records.values(), "run") if run["spec"]["stage"] == "search"]
            assert len(searched) == LOSSES * TRIALS * FOLDS
            opened = True
        job = next(iter(sorted(jobs, key=lambda each: (each.kind != "opening", each.id))))
        agenda.accept(job, answer(job, tmp_path), made_here=True)
    assert opened


def test_lost_weights_are_made_again_only_where_a_score_needs_them(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    assert todo(plan, records, []) == []
    score = next(body for body in by_kind(records.values(), "score") if len(body["spec"]["models"]) > 1)
    left = {key: body for key, body in records.items() if key != score["id"]}
    asked = todo(plan, left, [])
    assert {job.id for job in asked} == set(score["spec"]["models"])
    (job,) = todo(plan, left, score["spec"]["models"])
    assert (job.kind, job.id) == ("score", score["id"])


def test_weights_are_spent_when_every_row_that_needs_them_is_scored(plan, tmp_path):
    agenda, spent = Agenda([plan], [], []), []
    while jobs := list(agenda.ready()):
        spent += agenda.accept(jobs[0], answer(jobs[0], tmp_path), made_here=True)
    finals = [run for run in by_kind(agenda.records.values(), "run") if run["spec"]["stage"] == "final"]
    scored = {model for body in by_kind(agenda.records.values(), "score") for model in body["spec"]["models"]}
    assert set(spent) == scored
    assert scored <= {run["id"] for run in finals}


def test_ties_go_to_the_lowest_slot(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    flat = {}
    for key, body in records.items():
        best = body.get("best")
        flat[key] = body | {"best": {**best, "map_at_r": 0.5}} if best else body
    for loss in gather(plan, flat).losses:
        alive = [trial.slot for trial in loss.trials if trial.value is not None]
        assert loss.chosen.slot == min(alive)
