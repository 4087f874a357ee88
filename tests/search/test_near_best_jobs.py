"""Runners-up in the schedule: decided before the test half opens, their models kept, trained and scored."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import standins
from small_study import NEAR, write_study

from realitycheck.plan.cost import trainings
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.records.from_json import read_record
from realitycheck.records.gather import gather
from realitycheck.records.schema import Opening, Score, of_type
from realitycheck.runs import Stage
from realitycheck.search.agenda import Agenda
from realitycheck.search.schedule import todo
from realitycheck.search.standing import loss_standings

pytestmark = pytest.mark.usefixtures("no_pause")

MORE = NEAR.replace("trials: 3,", "trials: 6,").replace("runners_up: 1", "runners_up: 2")
"""Two searches of six trials, and two runners-up at most."""


@pytest.fixture
def plan(tmp_path) -> DatasetPlan:
    study = read_study(write_study(tmp_path / "home", protocol=MORE)).study
    return DatasetPlan(study=study, dataset="pictures", data="d" * 64, test="t" * 64)


def play(plan, cache, *, seed, step=lambda agenda, job: None):
    """A whole study in an order drawn by seed; weights that are spent are deleted, as a campaign does it."""
    agenda, order = Agenda([plan], [], []), random.Random(seed)
    while jobs := list(agenda.ready()):
        job = order.choice(jobs)
        step(agenda, job)
        for run_id in agenda.accept(job, read_record(standins.answer(job, cache)), weights_stored=True):
            (cache / "weights" / f"{run_id}.safetensors").unlink(missing_ok=True)
        again = todo(plan, agenda.records, agenda.weights)
        assert {each.id for each in agenda.ready()} == {each.id for each in again}
    return agenda


def searches(plan, records):
    return [search for loss in gather(plan, records).losses for search in loss.searches]


def test_every_near_best_setting_is_scored_and_no_weights_are_left(plan, tmp_path):
    records = play(plan, tmp_path, seed=0).records
    taken = [near for search in searches(plan, records) for near in search.near_best]
    assert len(taken) > len(searches(plan, records))
    for near in taken:
        scores = near.models.scores["clean"]
        assert scores.folds.spec.models == tuple(run.id for run in near.trial.runs)
        assert scores.complete is not None or near.models.complete_run.diverged
    left = [records[path.stem].spec for path in (tmp_path / "weights").glob("*")]
    assert all(spec.stage is Stage.FINAL and spec.fold is not None for spec in left)  # another fold of theirs diverged


def test_the_chosen_setting_comes_first_with_the_complete_run_of_its_first_replicate(plan, tmp_path):
    records = play(plan, tmp_path, seed=0).records
    for search in searches(plan, records):
        first, *others = search.near_best
        assert first.trial == search.chosen
        assert first.models.complete_run == search.replicates[0].complete_run
        assert [near.trial.value for near in others] == sorted((near.trial.value for near in others), reverse=True)
        for near in others:
            spec = near.models.complete_run.spec
            assert (spec.stage, spec.index, spec.fold) == (Stage.FINAL, search.replicates[0].index, None)
            assert spec.knobs == near.trial.knobs
            best = [run.phases[0].best_iteration for run in near.trial.runs]  # 10, 20 or 30; validated every 10
            assert spec.phases[0]["iterations"] == -(-sum(best) // (10 * len(best))) * 10


def test_the_order_of_completion_does_not_matter(plan, tmp_path):
    first = play(plan, tmp_path / "0", seed=0).records
    for seed in (1, 2):
        assert play(plan, tmp_path / str(seed), seed=seed).records == first


def test_the_runners_up_are_decided_before_the_test_half_opens(plan, tmp_path):
    """Records of scores and openings change nothing, and all fold runs of replicates precede the opening."""
    before = {}

    def watch(agenda, job):
        if job.kind == "opening":
            before.update(agenda.records)

    records = play(plan, tmp_path, seed=1, step=watch).records
    assert not of_type(before.values(), Score)
    at_opening, at_end = ([search.near_best for search in searches(plan, known)] for known in (before, records))
    assert [[near.trial.slot for near in own] for own in at_opening] == [
        [near.trial.slot for near in own] for own in at_end
    ]
    poisoned = dict(records)
    for score in of_type(records.values(), Score):
        other = {
            distance: replace(own, scores=dict.fromkeys(own.scores, 0.0)) for distance, own in score.models[0].items()
        }
        poisoned[score.id] = replace(score, models=(other,) * len(score.models))
    for one, other in zip(searches(plan, records), searches(plan, poisoned), strict=True):
        assert [near.trial for near in one.near_best] == [near.trial for near in other.near_best]


def test_no_more_than_the_best_distinct_trials_keep_their_weights(plan, tmp_path):
    folds, most = plan.protocol.folds.count, 3

    def watch(agenda, job):
        stored = {path.stem for path in (tmp_path / "weights").glob("*")}
        for evidence in (search for loss in agenda.losses("pictures") for search in loss.searches):
            done = {run.id for trial in evidence.trials if trial.complete for run in trial.runs}
            assert len(done & stored) <= most * folds

    play(plan, tmp_path, seed=0, step=watch)


def test_lost_weights_of_a_runner_up_are_made_again(plan, tmp_path):
    records = play(plan, tmp_path, seed=0).records
    assert todo(plan, records, []) == []
    near = next(search for search in searches(plan, records) if len(search.near_best) > 1).near_best[1]
    score = near.models.scores["clean"].folds
    left = {key: record for key, record in records.items() if key != score.id}
    asked = todo(plan, left, [])
    assert [job.id for job in asked] == list(score.spec.models)
    assert all(job.payload["keep"] for job in asked)
    (job,) = todo(plan, left, score.spec.models)
    assert (job.kind, job.id) == ("score", score.id)


def test_runners_up_change_no_other_record(plan, tmp_path):
    """The same study without them has the same records, but for the opening, whose plan is another one."""
    plain = read_study(write_study(tmp_path / "plain", protocol=MORE.replace(", runners_up: 2", ""))).study
    other = DatasetPlan(study=plain, dataset="pictures", data="d" * 64, test="t" * 64)
    few, many = play(other, tmp_path / "a", seed=0).records, play(plan, tmp_path / "b", seed=0).records
    openings = {record.id for record in (*few.values(), *many.values()) if isinstance(record, Opening)}
    assert few.keys() - openings < many.keys()
    assert "runners_up" not in plain.protocol.model_dump()["interval"]


def test_plan_and_standing_count_them(plan, tmp_path):
    counts = trainings(plan.protocol)
    assert counts.runners_up == 2 * 2
    assert counts.total == 2 * 6 * 2 + 4 * 2 + 4 + 2 * 2
    before = Agenda([plan], [], [])
    (first, _) = loss_standings("pictures", before.losses("pictures")[0], plan.protocol)
    assert first.final_runs == (0, 2 * (2 + 1) + 2)
    assert first.scores == (0, 2 * 2 + 1 + 2 * 2)
    after = play(plan, tmp_path, seed=0)
    for loss in after.losses("pictures"):
        for standing, search in zip(loss_standings("pictures", loss, plan.protocol), loss.searches, strict=True):
            assert standing.final_runs[0] == standing.final_runs[1] == 6 + len(search.near_best) - 1


def test_scores_under_several_evaluations_are_counted_once(tmp_path):
    several = MORE.replace("interval:", 'evaluations: ["calibration:2-0", "verification:5-0"]\ninterval:')
    study = read_study(write_study(tmp_path, protocol=several)).study
    plan = DatasetPlan(study=study, dataset="pictures", data="d" * 64, test="t" * 64)
    after = play(plan, tmp_path / "ledger", seed=0)
    standings = [one for loss in after.losses("pictures") for one in loss_standings("pictures", loss, plan.protocol)]
    # Under each of three evaluations: the fold and the complete models of two replicates and of two runners-up, and the
    # fold models of the chosen trial. A complete model of a runner-up that diverged has no score.
    assert {standing.scores[1] for standing in standings} == {3 * (2 * 2 + 2 * 2 + 1)}
    assert max(standing.scores[0] for standing in standings) == 27
