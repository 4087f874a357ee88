"""Sweeps: runs that no id and no choice depends on, shared with the replicates, from the file to the page."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from small_study import FINISHED, FINISHED_PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.plan.sweeps import planned_points, swept_trainings
from realitycheck.protocol.space import IntUniform, Uniform
from realitycheck.protocol.sweep_keys import Grid
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Opening, Run, Score, of_type
from realitycheck.records.swept_evidence import scores_sweep
from realitycheck.search.agenda import Agenda
from realitycheck.search.schedule import todo
from realitycheck.verify import walk

SWEEP = "sweep: {seeds: 2, knobs: {contrastive: {neg_margin: {linear: [0.0, 2.0], points: 3}}}}\n"
SHORT = FINISHED_PROTOCOL.replace("sampler: gp, trials: 2", "sampler: random, trials: 1")
ONE = FINISHED.replace(", normalized_softmax: {}", "")


def plan_of(home, *, study: str) -> DatasetPlan:
    return DatasetPlan(verbs.load_study(write_study(home, study=study)).study, "pictures", "d", "t")


def test_no_id_depends_on_a_sweep(tmp_path):
    plain, swept = plan_of(tmp_path / "a", study=STUDY), plan_of(tmp_path / "b", study=STUDY + SWEEP)
    assert (plain.digest, plain.claims, plain.opening_id) == (swept.digest, swept.claims, swept.opening_id)
    assert [one.id for one in plain.searches] == [one.id for one in swept.searches]
    assert plain.searches[0].trial_runs(slot=0, knobs={}) == swept.searches[0].trial_runs(slot=0, knobs={})
    assert "sweep" not in plain.study.model_dump(mode="json")


def test_a_sweep_on_the_test_half_is_a_claim_and_no_id_depends_on_it(tmp_path):
    tested = SWEEP.replace("seeds: 2,", "seeds: 2, test: true,")
    plain, swept = plan_of(tmp_path / "a", study=STUDY + SWEEP), plan_of(tmp_path / "b", study=STUDY + tested)
    assert (plain.digest, plain.opening_id) == (swept.digest, swept.opening_id)
    assert {name: value for name, value in swept.claims.items() if name != "sweep"} == plain.claims
    assert swept.claims["sweep"]["knobs"]["contrastive"]["neg_margin"]["points"] == 3
    assert swept_trainings(swept.study, "contrastive", swept.protocol) == (3 * 2 * 2, 3 * 2)


@pytest.mark.parametrize(
    ("declared", "scored"), [(None, True), ({"seeds": 2}, True), ({"seeds": 1}, False), ({}, False)]
)
def test_only_a_sweep_that_the_opening_declares_is_scored(tmp_path, declared, scored):
    """None: the test half is not open yet, and the models are kept for it."""
    plan = plan_of(tmp_path, study=STUDY + SWEEP.replace("seeds: 2,", "seeds: 2, test: true,"))
    claims = {**plan.claims, "sweep": {**plan.claims["sweep"], **(declared or {})}}
    if declared == {}:
        del claims["sweep"]
    where = {"dataset": "pictures", "data": "d", "test": "t"}
    opening = Opening(plan=plan.digest, **where, searches={}, claims=claims, number=0)
    records = {} if declared is None else {opening.id: opening}
    assert scores_sweep(plan, records) is scored


def test_values_of_a_grid():
    real = Uniform(uniform=(0.0, 1.0))
    assert Grid(linear=(0.0, 1.5), points=4).values(real) == (0.0, 0.5, 1.0, 1.5)
    assert Grid(log=(0.01, 10.0), points=4).values(real) == (0.01, 0.1, 1.0, 10.0)
    assert Grid(linear=(1.0, 4.0), points=7).values(IntUniform(int_uniform=(1, 9))) == (1, 2, 3, 4)


def test_the_chosen_value_is_a_point_and_its_runs_are_the_replicates(tmp_path):
    plan = plan_of(tmp_path, study=STUDY + SWEEP)
    search, knobs = plan.searches[0], {"pos_margin": 0.2, "neg_margin": 0.7}
    points = list(planned_points(plan.study, search, knobs=knobs, unit=None))
    assert [point.value for point in points] == [0.0, 0.7, 1.0, 2.0]
    assert points[1].runs == tuple(search.replicate_runs(index=index, knobs=knobs) for index in (0, 1))
    others = {spec.knobs["neg_margin"] for point in points for specs in point.runs for spec in specs}
    assert others == {0.0, 0.7, 1.0, 2.0}
    assert {spec.knobs["pos_margin"] for point in points for specs in point.runs for spec in specs} == {0.2}
    unit = LengthUnit(10.0, {"neg_margin": 1})
    raw = [point.runs[0][0].knobs["neg_margin"] for point in planned_points(plan.study, search, knobs=knobs, unit=unit)]
    assert raw == [0.0, 7.0, 10.0, 20.0]
    assert not list(planned_points(plan.study, plan.searches[1], knobs=knobs, unit=None))
    assert swept_trainings(plan.study, "contrastive", plan.protocol) == (3 * 2 * 2, 0)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("contrastive:", "contrastiv:", "sweep-loss-unknown"),
        ("neg_margin:", "margin:", "sweep-knob-unknown"),
        ("seeds: 2", "seeds: 3", "sweep-seeds-range"),
        ("linear: [0.0, 2.0]", "linear: [2.0, 0.0]", "range-reversed"),
        ("linear: [0.0, 2.0]", "log: [0.0, 2.0]", "range-not-positive"),
        ("linear: [0.0, 2.0], ", "", "range-grid"),
        ("points: 3", "points: 1", "value-range"),
    ],
)
def test_a_wrong_sweep_is_refused(tmp_path, old, new, code):
    assert old in SWEEP
    with pytest.raises(InputError) as caught:
        verbs.load_study(write_study(tmp_path, study=STUDY + SWEEP.replace(old, new)))
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("swept"), protocol=SHORT, study=ONE + SWEEP)
    result = verbs.run_study(verbs.load_study(study), executor="inline", device="cpu")
    assert not result.left and not result.alarms
    return study


def test_the_agenda_asks_for_what_the_schedule_asks_for(walked):
    """After every record, in the order in which a study makes them."""
    records = Ledger(walked.parent / "small").records
    plan = from_records(verbs.load_study(walked).study, "pictures", records)
    known: dict = {}
    agenda, swept = Agenda([plan], [], []), 0
    while jobs := todo(plan, known, agenda.weights):
        assert {job.id for job in agenda.ready()} == {job.id for job in jobs}
        job = jobs[0]
        swept += job.kind == "run" and not job.payload["keep"] and job.payload["spec"]["stage"] == "final"
        known[job.id] = records[job.id]
        agenda.accept(job, records[job.id], weights_stored=True)
    assert known == {record.id: record for record in records.values() if not isinstance(record, Registration)}
    assert swept == 3 * 2 * 2


def test_no_test_score_is_of_a_swept_model(walked):
    records = Ledger(walked.parent / "small").records
    chosen = {run.spec.knobs["neg_margin"] for run in of_type(records.values(), Run) if run.spec.stage == "search"}
    scored = {model for score in of_type(records.values(), Score) for model in score.spec.models}
    knobs = {records[model].spec.knobs.get("neg_margin") for model in scored} - {None}
    assert knobs == chosen and len(chosen) == 1


def test_the_page_and_its_verification(walked, monkeypatch):
    verbs.report_study(walked)
    folder = walked.parent.parent / "reports" / "small"
    (knob,) = json.loads((folder / "tables.json").read_text())["datasets"][0]["sweeps"]["knobs"]
    assert [len(value["scores"]["values"]) for value in knob["values"]] == [2, 2, 2, 2]
    assert knob["range"] == [0.0, 2.0] and knob["chosen"] in [value["value"] for value in knob["values"]]
    assert (folder / "figures" / "sweeps-pictures.svg").exists()
    assert not verbs.verify_study(walked).problems
    monkeypatch.setattr(walk, "grid_values", lambda grid, searched: [])
    codes = {problem.code for problem in verbs.verify_study(walked).problems}
    assert codes == {"setting-differs", "table-differs", "cell-differs"}


def test_runs_of_a_sweep_count_in_the_progress_of_their_loss(tmp_path):
    tested = SWEEP.replace("seeds: 2,", "seeds: 2, test: true,")
    path = write_study(tmp_path, protocol=SHORT, study=ONE + tested)
    totals, lasts = set(), []

    def watch(standings, running):
        by_label = {one.label: one for one in standings}
        totals.add((by_label["contrastive"].planned, by_label["contrastive"].swept_runs[1]))
        lasts.append(by_label["contrastive"])

    result = verbs.run_study(verbs.load_study(path), executor="inline", device="cpu", watch=watch)
    assert not result.left
    # A trial of two folds; two replicates of two folds and a complete run; three values under two seeds, of the same.
    assert totals == {(2 + 2 * 3 + 3 * 2 * 3, 18)}
    assert lasts[0].swept_runs[0] == 0
    assert result.standings[0].swept_runs in {(12, 18), (18, 18)}  # the chosen value may be one of the grid
    done, planned = result.standings[0].done, result.standings[0].planned
    assert planned - done == 18 - result.standings[0].swept_runs[0]


@pytest.mark.parametrize("grid", [{"linear": (-1e308, 1e308)}, {"log": (1e-300, 1e300)}])
def test_a_grid_wider_than_numbers_go_is_refused(grid):
    with pytest.raises(ValidationError) as refused:
        Grid(points=3, **grid)
    assert [error["type"] for error in refused.value.errors()] == ["range-too-wide"]
