"""Ranges in units of the initial embedding length, from the plan to proposals and runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_study import PROTOCOL, SPACES, STUDY, WARPED, write_study

from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.from_json import read_record
from realitycheck.records.gather import final_knobs, search_evidence
from realitycheck.search.propose import propose
from realitycheck.search.schedule import todo

HEAD = PROTOCOL.replace("shared: {}", "shared: {}, units: head")
STUDIES = STUDY.replace("triplet: {}", "warped_softmax: {}")
UNIT = LengthUnit(8.0, {"point": 1, "temperature": -1})


def plan_of(home, protocol=HEAD) -> DatasetPlan:
    path = write_study(home, protocol=protocol, study=STUDIES)
    (home / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + WARPED)
    study = read_study(path).study
    units = {"warped_softmax": UNIT} if study.protocol.search.units == "head" else {}
    return DatasetPlan(study=study, dataset="pictures", data="d" * 64, test="t" * 64, units=units)


def proposals(plan: DatasetPlan) -> dict:
    """The records of the first proposals, one of each loss."""
    jobs = [job for job in todo(plan, {}, ()) if job.kind == "proposal"]
    return {job.payload["loss"]: read_record(propose(job.payload, tell=unheard)) for job in jobs}


@pytest.fixture
def plan(tmp_path) -> DatasetPlan:
    return plan_of(tmp_path)


def test_only_a_loss_with_lengths_has_a_unit(plan):
    records = proposals(plan)
    assert records["warped_softmax"].unit == UNIT
    assert records["contrastive"].unit is None and records["normalized_softmax"].unit is None


def test_the_sampler_sees_units_and_runs_get_raw_values(plan):
    record = proposals(plan)["warped_softmax"]
    search = plan.losses[1].searches[0]
    assert 0 <= record.knobs["point"] <= 1.5 and 1 <= record.knobs["temperature"] <= 500
    (trial,) = search_evidence(plan, search, {record.id: record}).trials
    assert dict(trial.knobs) == dict(record.knobs)
    jobs = [job for job in todo(plan, {record.id: record}, ()) if job.kind == "run" and "warped" in job.title]
    assert len(jobs) == 2
    for job in jobs:
        knobs = job.payload["spec"]["knobs"]
        assert knobs["point"] == 8.0 * record.knobs["point"]
        assert knobs["temperature"] == record.knobs["temperature"] / 8.0
        assert knobs["inner_slope"] == record.knobs["inner_slope"]


def test_a_record_is_read_in_its_own_unit_whatever_the_plan_says(plan):
    """A report knows no unit; and a study that is continued elsewhere may have another one for new proposals."""
    record = proposals(plan)["warped_softmax"]
    other = replace(plan, units={"warped_softmax": LengthUnit(9.0, UNIT.powers)})
    ids = []
    for each in (plan, replace(plan, units={}), other):
        search = each.losses[1].searches[0]
        (trial,) = search_evidence(each, search, {record.id: record}).trials
        ids.append([spec.id for spec in search.trial_runs(slot=0, knobs=trial.raw())])
    assert ids[0] == ids[1] == ids[2]


@pytest.mark.parametrize(("rule", "factor"), [("", 2**0.5), (", lengths: raw", 1.0)])
def test_in_a_complete_run_a_length_is_longer_by_the_root_of_the_folds(tmp_path, rule, factor):
    """Two folds."""
    plan = plan_of(tmp_path, HEAD.replace("complete: per_replicate", f"complete: per_replicate{rule}"))
    record = proposals(plan)["warped_softmax"]
    search = plan.losses[1].searches[0]
    (trial,) = search_evidence(plan, search, {record.id: record}).trials
    folds, complete = final_knobs(search, trial)
    assert folds["point"] == 8.0 * record.knobs["point"]
    assert complete["point"] == pytest.approx(factor * folds["point"], rel=1e-15)
    assert complete["temperature"] == pytest.approx(folds["temperature"] / factor, rel=1e-15)
    assert complete["handicap"] == folds["handicap"]


def test_ids_of_searches_know_the_unit_of_ranges_and_no_measured_length(tmp_path):
    head, raw = plan_of(tmp_path / "head"), plan_of(tmp_path / "raw", PROTOCOL)
    elsewhere = replace(head, units={"warped_softmax": LengthUnit(8.000001, UNIT.powers)})
    for one, other, third in zip(head.searches, elsewhere.searches, raw.searches, strict=True):
        assert one.id == other.id != third.id


@pytest.mark.parametrize(("setting", "length"), [("paper", 64.0), ("sop", 13.07)])
def test_a_published_setting_is_in_units_of_its_own_head(tmp_path, setting, length):
    """28.4 behind a Kaiming head of length 64 is 0.444 whatever the head here; its temperature of 4.525 is 289.6."""
    protocol = HEAD.replace("units: head", "units: head, first: published").replace("trials: 3", "trials: 2")
    path = write_study(tmp_path, protocol=protocol, study=STUDIES)
    study = STUDIES.replace("warped_softmax: {}", f"warped_softmax: {{setting: {setting}}}")
    path.write_text(study)
    (tmp_path / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + WARPED)
    plan = DatasetPlan(read_study(path).study, "pictures", "d" * 64, None, {"warped_softmax": UNIT})
    record = proposals(plan)["warped_softmax"]
    published = {"paper": (28.4, 4.525), "sop": (13.024979, 3.7442)}[setting]
    assert record.source == "published"
    assert record.knobs["point"] == pytest.approx(published[0] / length)
    assert record.knobs["temperature"] == pytest.approx(published[1] * length)
    assert record.knobs["outer_slope"] == {"paper": 1.15, "sop": 1.1181}[setting]
