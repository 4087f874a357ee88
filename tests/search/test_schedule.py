"""The scheduler: what it asks for, that order does not matter, and that the incremental form is the plain one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import standins
from small_study import PROTOCOL, STUDY, write_study

from realitycheck.plan.shown_queries import draw_queries
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.records.chosen_trial import Selection
from realitycheck.records.from_json import read_record
from realitycheck.records.gather import gather, lengths_basis
from realitycheck.records.nearest_images import NeighborLists, Query
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type
from realitycheck.runs import Stage
from realitycheck.search.agenda import Agenda
from realitycheck.search.schedule import todo

SEEDS, FOLDS, TRIALS, LOSSES = 2, 2, 3, 3


CLASSES = (("a", 4), ("b", 4), ("c", 4))
SHOWN = tuple(
    Query(4 * label + place, f"{label}/{place}", "f" * 16, CLASSES[label][0], place, 4)
    for label, place in draw_queries(7, "pictures", CLASSES)
)
"""Queries of the test half of the stand-ins."""

SEVERAL = PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,").replace("seeds: 2,", "seeds: 4,")
"""Two searches with two replicates each."""


def plan_of(path) -> DatasetPlan:
    return DatasetPlan(study=read_study(path).study, dataset="pictures", data="d" * 64, test="t" * 64, queries=SHOWN)


@pytest.fixture
def plan(study_path) -> DatasetPlan:
    return plan_of(study_path)


@pytest.fixture
def several(tmp_path) -> DatasetPlan:
    return plan_of(write_study(tmp_path / "several", protocol=SEVERAL))


def play(plan, tmp_path, *, seed):
    """A whole study, jobs answered in an order drawn by seed; the records."""
    agenda, order = Agenda([plan], [], []), random.Random(seed)
    while jobs := list(agenda.ready()):
        job = order.choice(jobs)
        assert job.id not in agenda.records or job.kind == "run"
        agenda.accept(job, read_record(standins.answer(job, tmp_path)), weights_stored=True)
        again = todo(plan, agenda.records, agenda.weights)
        assert {each.id for each in agenda.ready()} == {each.id for each in again}
    return agenda.records


def test_the_order_of_completion_does_not_matter(plan, tmp_path):
    first = play(plan, tmp_path, seed=0)
    for seed in (1, 2):
        assert play(plan, tmp_path, seed=seed) == first


def test_exactly_as_many_records_as_promised(plan, tmp_path):
    records = play(plan, tmp_path, seed=0).values()
    assert len(of_type(records, Proposal)) == LOSSES * TRIALS
    runs = of_type(records, Run)
    assert sum(run.spec.stage is Stage.SEARCH for run in runs) == LOSSES * TRIALS * FOLDS
    assert sum(run.spec.loss is None for run in runs) == SEEDS * (FOLDS + 1)
    assert len(of_type(records, Opening)) == 1
    (evidence,) = [gather(plan, {record.id: record for record in records})]
    for loss in evidence.losses:
        assert len(loss.replicates) == SEEDS
        for replicate in loss.replicates:
            scores = replicate.scores["clean"]
            assert (scores.folds is not None and scores.complete is not None) == (replicate.diverged == 0)


def test_a_search_chooses_by_the_recorded_selection(tmp_path):
    """By hand from the records: no replicate trains before it, and all have the knobs of its slot."""
    select = PROTOCOL.replace("round: 1,", "round: 1, select: posterior_mean,").replace("trials: 3", "trials: 4")
    plan = plan_of(write_study(tmp_path / "selecting", protocol=select))
    best = plan_of(write_study(tmp_path / "best", protocol=PROTOCOL.replace("trials: 3", "trials: 4")))
    assert [search.id for search in plan.searches] == [search.id for search in best.searches]
    assert plan.digest != best.digest

    records = play(plan, tmp_path, seed=0)
    assert play(plan, tmp_path, seed=1) == records
    selections = {one.search: one for one in of_type(records.values(), Selection)}
    assert set(selections) == {search.id for search in plan.searches}
    for loss in gather(plan, records).losses:
        (search,) = loss.searches
        assert search.done and search.means == selections[search.id].means
        assert search.chosen == search.trials[selections[search.id].slot]
        assert all(run.spec.knobs == search.chosen.knobs for one in search.replicates for run in one.fold_runs)

    without = {key: record for key, record in records.items() if not isinstance(record, Selection | Opening)}
    assert {job.kind for job in todo(plan, without, ())} == {"selection"}
    assert not any(
        search.done or search.replicates for loss in gather(plan, without).losses for search in loss.searches
    )


def test_no_score_before_the_opening_and_no_opening_before_the_last_search(plan, tmp_path):
    agenda = Agenda([plan], [], [])
    opened = False
    while jobs := list(agenda.ready()):
        kinds = {job.kind for job in jobs}
        if not opened:
            assert "score" not in kinds
        if "opening" in kinds:
            searched = [run for run in of_type(agenda.records.values(), Run) if run.spec.stage is Stage.SEARCH]
            assert len(searched) == LOSSES * TRIALS * FOLDS
            opened = True
        job = next(iter(sorted(jobs, key=lambda each: (each.kind != "opening", each.id))))
        agenda.accept(job, read_record(standins.answer(job, tmp_path)), weights_stored=True)
    assert opened


def test_lost_weights_are_made_again_only_where_a_score_needs_them(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    assert todo(plan, records, []) == []
    score = next(score for score in of_type(records.values(), Score) if len(score.spec.models) > 1)
    left = {key: body for key, body in records.items() if key != score.id}
    asked = todo(plan, left, [])
    assert {job.id for job in asked} == set(score.spec.models)
    (job,) = todo(plan, left, score.spec.models)
    assert (job.kind, job.id) == ("score", score.id)


def test_weights_are_spent_when_every_row_that_needs_them_is_scored(plan, tmp_path):
    agenda, spent = Agenda([plan], [], []), []
    while jobs := list(agenda.ready()):
        spent += agenda.accept(jobs[0], read_record(standins.answer(jobs[0], tmp_path)), weights_stored=True)
    finals = [run for run in of_type(agenda.records.values(), Run) if run.spec.stage is Stage.FINAL]
    scored = {model for score in of_type(agenda.records.values(), Score) for model in score.spec.models}
    assert set(spent) == scored
    assert scored <= {run.id for run in finals}


def test_ties_go_to_the_lowest_slot(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    flat = dict(records)
    for run in of_type(records.values(), Run):
        if run.best:
            best = replace(run.best, scores={**run.best.scores, "map_at_r": 0.5})
            flat[run.id] = replace(run, best=best)
    for loss in gather(plan, flat).losses:
        (search,) = loss.searches
        assert search.chosen.slot == min(trial.slot for trial in search.trials if trial.value is not None)


def test_two_searches_are_played_to_their_end_in_any_order(several, tmp_path):
    first = play(several, tmp_path, seed=0)
    assert play(several, tmp_path, seed=1) == first
    records = first.values()
    assert len(of_type(records, Proposal)) == 2 * LOSSES * TRIALS
    (opening,) = of_type(records, Opening)
    assert all(len(ids) == 2 for ids in opening.searches.values())
    for loss in gather(several, first).losses:
        assert [replicate.index for replicate in loss.replicates] == [0, 2, 1, 3]
        assert [replicate.search for replicate in loss.replicates] == [0, 0, 1, 1]
        for search in loss.searches:
            for replicate in search.replicates:
                assert all(run.spec.knobs == search.chosen.knobs for run in replicate.fold_runs)


@pytest.mark.parametrize(("rule", "length"), [("per_replicate", 30), ("appendix_d", 50)])
def test_complete_lengths_of_a_search_come_from_its_own_replicates(tmp_path, rule, length):
    """All fold runs of the second search select iteration 30: three epochs of ten, rounded up to five."""
    protocol = SEVERAL.replace("complete: per_replicate", f"complete: {rule}")
    plan = plan_of(write_study(tmp_path / rule, protocol=protocol))
    records = play(plan, tmp_path, seed=0)
    before = gather(plan, records).losses[0]
    changed = dict(records)
    for run in before.searches[1].runs(Stage.FINAL):
        phases = tuple(replace(phase, best_iteration=30) for phase in run.phases)
        changed[run.id] = replace(run, phases=phases)
    after = gather(plan, changed).losses[0]
    assert before.searches[0] == after.searches[0]
    search, evidence = plan.losses[0].searches[1], after.searches[1]
    folds = [replicate.fold_runs for replicate in evidence.replicates]
    basis = lengths_basis(search, folds, 0)
    spec = search.complete_run(index=2, knobs=evidence.chosen.knobs, fold_runs=basis)
    assert [phase["iterations"] for phase in spec.phases] == [length]


def test_each_row_has_one_list_of_neighbours_of_its_first_complete_model(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    lists = of_type(records.values(), NeighborLists)
    evidence = gather(plan, records)
    rows = [*evidence.losses, next(row for row in evidence.untrained if row.evaluation == "clean")]
    assert len(lists) == len(rows)
    for row in rows:
        runs = (one.complete_run for one in row.replicates)
        first = next(run for run in runs if run is not None and not run.diverged)
        assert row.neighbors.spec.models == (first.id,)
        assert row.neighbors.spec.distance == row.distance
        assert row.neighbors.spec.queries == tuple(query.image for query in SHOWN)


def test_without_complete_models_the_fold_models_are_listed_together(tmp_path):
    folds = PROTOCOL.replace("[aggregate, ensemble, complete]", "[aggregate]")
    study = STUDY.replace("category: complete", "category: aggregate")
    plan = plan_of(write_study(tmp_path, protocol=folds, study=study))
    records = play(plan, tmp_path, seed=0)
    for loss in gather(plan, records).losses:
        first = next(one for one in loss.replicates if not one.diverged)
        assert loss.neighbors.spec.models == tuple(run.id for run in first.fold_runs)


def test_an_opening_without_queries_asks_for_no_neighbours(plan, tmp_path):
    """As one by an earlier release."""
    records = play(replace(plan, queries=()), tmp_path, seed=0)
    assert not of_type(records.values(), NeighborLists)
    assert todo(plan, records, []) == []


def test_models_that_were_scored_before_there_were_queries_are_not_trained_again(plan, tmp_path):
    """A later plan on the same test half lists those whose weights are there."""
    records = play(replace(plan, queries=()), tmp_path, seed=0)
    (earlier,) = of_type(records.values(), Opening)
    other = replace(earlier, plan="o" * 64)
    left = {key: record for key, record in records.items() if key != plan.opening_id} | {other.id: other}
    (job,) = [job for job in todo(plan, left, []) if job.kind == "opening"]
    assert [entry["image"] for entry in job.payload["queries"]] == [query.image for query in SHOWN]
    opening = read_record(job.payload)
    left[opening.id] = opening
    assert todo(plan, left, []) == []
    first = gather(plan, left).losses[0].replicates[0].complete_run
    (job,) = todo(plan, left, [first.id])
    assert (job.kind, job.payload["spec"]["models"]) == ("neighbors", [first.id])
    score = next(score for score in of_type(left.values(), Score) if score.spec.models == (first.id,))
    unscored = {key: record for key, record in left.items() if key != score.id}
    assert {job.id for job in todo(plan, unscored, [])} == {first.id}
    assert [job.kind for job in Agenda([plan], unscored.values(), [], copied=[score.id]).ready()] == ["score"]


def test_models_are_kept_for_their_list_and_lost_ones_are_made_again(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    one = of_type(records.values(), NeighborLists)[0]
    left = {key: record for key, record in records.items() if key != one.id}
    assert {job.id for job in todo(plan, left, [])} == set(one.spec.models)
    (job,) = todo(plan, left, one.spec.models)
    assert (job.kind, job.id) == ("neighbors", one.id)
    score = next(score for score in of_type(records.values(), Score) if score.spec.models == one.spec.models)
    partial = {key: record for key, record in left.items() if key != score.id}
    agenda = Agenda([plan], partial.values(), one.spec.models)
    (listing, scoring) = sorted(agenda.ready(), key=lambda job: job.kind)
    assert agenda.accept(scoring, score, weights_stored=True) == ()
    assert set(one.spec.models) <= set(agenda.accept(listing, one, weights_stored=True))


def test_scores_and_lists_that_can_be_copied_need_no_weights(plan, tmp_path):
    records = play(plan, tmp_path, seed=0)
    one = of_type(records.values(), NeighborLists)[0]
    score = next(score for score in of_type(records.values(), Score) if score.spec.models == one.spec.models)
    left = [record for key, record in records.items() if key not in (one.id, score.id)]
    jobs = list(Agenda([plan], left, [], copied=[score.id]).ready())
    assert {(job.kind, job.id) for job in jobs} == {("score", score.id), *(("run", model) for model in one.spec.models)}
    jobs = list(Agenda([plan], left, [], copied=(score.id, one.id)).ready())
    assert {(job.kind, job.id) for job in jobs} == {("score", score.id), ("neighbors", one.id)}


def test_a_score_under_an_evaluation_that_nobody_else_has_needs_weights(plan, tmp_path):
    """Another study has the scores on clean images, and this one asks for corrupted ones as well."""
    protocol = plan.study.protocol.model_copy(update={"evaluations": ("corrupted:gaussian-3",)})
    wider = replace(plan, study=plan.study.model_copy(update={"protocol": protocol}))
    records = play(wider, tmp_path, seed=0)
    scores = [score for score in of_type(records.values(), Score) if score.spec.evaluation != "trunk"]
    clean, own = ([one for one in scores if (one.spec.evaluation == "clean") is same] for same in (True, False))
    left = [record for record in records.values() if record not in own]
    jobs = list(Agenda([wider], left, [], copied=[score.id for score in clean]).ready())
    assert {job.id for job in jobs if job.kind == "run"} == {model for score in own for model in score.spec.models}
    assert {job.kind for job in jobs} == {"run"}
