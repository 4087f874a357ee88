"""Rows of published settings: from the file to the page, shared where a search chose them, and derived again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from made_studies import DEFAULT_ROWS, carried_out
from small_study import PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import Stage
from realitycheck.search.agenda import Agenda
from realitycheck.search.schedule import todo
from realitycheck.verify import walk

ASKED = "default_rows: true\n"
FIRST = PROTOCOL.replace("trials: 3,", "trials: 3, first: published,")


def plan_of(home: Path, *, study: str) -> DatasetPlan:
    return DatasetPlan(verbs.load_study(write_study(home, protocol=FIRST, study=study)).study, "pictures", "d", "t")


def test_the_rows_are_a_claim_and_no_id_depends_on_them(tmp_path):
    plain, asked = plan_of(tmp_path / "a", study=STUDY), plan_of(tmp_path / "b", study=STUDY + ASKED)
    assert (plain.digest, plain.opening_id) == (asked.digest, asked.opening_id)
    assert [one.id for one in plain.searches] == [one.id for one in asked.searches]
    assert asked.claims == {**plain.claims, "default_rows": True}
    assert "default_rows" not in plain.study.model_dump(mode="json")


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        (PROTOCOL, "default-rows-unknown"),
        (
            FIRST.replace(
                "trials: 3, first: published, startup_trials: 2", "trials: 1, first: published, startup_trials: 0"
            ),
            "default-rows-unsearched",
        ),
    ],
)
def test_rows_without_a_default_or_without_a_search_are_refused(tmp_path, protocol, code):
    with pytest.raises(InputError) as caught:
        verbs.load_study(write_study(tmp_path, protocol=protocol, study=STUDY + ASKED))
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> Path:
    protocol, study = DEFAULT_ROWS
    return carried_out(tmp_path_factory.mktemp("defaults"), protocol=protocol, study=study)


def tables(study: Path) -> dict:
    folder = study.parent.parent / "reports" / "small"
    return json.loads((folder / "tables.json").read_text())["datasets"][0]


def final_runs(study: Path, loss: str) -> dict[tuple[float, ...], list[Run]]:
    """The final runs of a loss by their hyper-parameters."""
    runs: dict[tuple[float, ...], list[Run]] = {}
    for run in of_type(Ledger(study.with_suffix("")).records.values(), Run):
        if run.spec.stage is Stage.FINAL and run.spec.loss and run.spec.loss["label"] == loss:
            runs.setdefault(tuple(run.spec.knobs.values()), []).append(run)
    return runs


def test_the_setting_of_slot_0_is_retrained_as_often_as_the_chosen_one(asked):
    """Two searches of two replicates: two folds and a complete run each, whatever setting they have."""
    (first, second) = (
        one.knobs
        for one in of_type(Ledger(asked.with_suffix("")).records.values(), Proposal)
        if one.slot == 0 and one.loss == "contrastive"
    )
    assert dict(first) == dict(second) == dict(verbs.load_study(asked).study.loss("contrastive").published)
    by_setting = final_runs(asked, "contrastive")
    default = [run for knobs, runs in by_setting.items() if sorted(knobs) == sorted(first.values()) for run in runs]
    assert sorted(run.spec.index for run in default if run.spec.fold == 0) == [0, 1, 2, 3]


def test_each_row_has_the_mean_of_its_own_scores_and_students_interval(asked):
    dataset = tables(asked)
    assert [row["label"] for row in dataset["defaults"]] == ["contrastive (default)", "normalized_softmax (default)"]
    for searched, row in zip(dataset["rows"], dataset["defaults"], strict=True):
        assert row["trained"] and not row["exploratory"] and len(row["cells"]) == len(searched["cells"])
        for cell in row["cells"]:
            known = [value for value in cell["values"] if value is not None]
            assert len(cell["values"]) == 4 and cell["pending"] == 0
            assert cell["mean"] == pytest.approx(sum(known) / len(known))
            assert cell["interval"] == cell["retraining"]
    text = (asked.parent.parent / "reports" / "small" / "tables.md").read_text()
    assert "beside these 24 for default rows" in text  # two losses, four seeds, two folds and a complete run
    assert 0 < text.index("contrastive (default)") < text.index("normalized", text.index("Test scores"))
    seeds = (asked.parent.parent / "reports" / "small" / "seeds.csv").read_text()
    lines = list(csv.DictReader(io.StringIO(seeds)))
    own = [line for line in lines if line["loss"] == "contrastive (default)"]
    assert [(line["search"], line["replicate"]) for line in own] == [("1", "1"), ("1", "3"), ("2", "2"), ("2", "4")]


def test_the_agenda_asks_for_what_the_schedule_asks_for(asked):
    records = Ledger(asked.with_suffix("")).records
    plan = from_records(verbs.load_study(asked).study, "pictures", records)
    known: dict = {}
    agenda, titles = Agenda([plan], [], []), set()
    while jobs := todo(plan, known, agenda.weights):
        assert {job.id for job in agenda.ready()} == {job.id for job in jobs}
        titles |= {job.title for job in jobs}
        known[jobs[0].id] = records[jobs[0].id]
        agenda.accept(jobs[0], records[jobs[0].id], weights_stored=True)
    assert {key for key, one in records.items() if isinstance(one, Run | Proposal)} <= known.keys()
    assert any("default, replicate" in title for title in titles)


def test_a_second_derivation_needs_the_rows(asked, monkeypatch):
    assert verbs.verify_study(asked).problems == []
    monkeypatch.setattr(walk.Walk, "_default", lambda self, row: None)
    assert "setting-differs" in {problem.code for problem in verbs.verify_study(asked).problems}
