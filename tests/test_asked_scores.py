"""Scores that a protocol asks for, from its file to its page; and ids that do not know of them without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study

import realitycheck
from realitycheck import verbs
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.runs import ScoreSpec, by_kind

ROOT = Path(realitycheck.__file__).parents[1]

ASKED = PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1") + (
    "scores: {recall_at: [1, 2]}\non: {folder: {scores: {recall_at: [1, 4, 1000], nmi: true}}}\n"
)
METRICS = {"recall_at_1", "recall_at_4", "recall_at_1000", "nmi"}


def plan_of(study: Path, *, data: str, test: str) -> DatasetPlan:
    read = verbs.load_study(study).study
    return DatasetPlan(read, read.datasets[0].name, data, test)


def test_scores_of_before_keep_their_ids():
    """The committed evidence: every score reads back to its own id, and the plan to that of its opening."""
    records = Ledger(ROOT / "studies" / "sketches").records
    scores, (opening,) = by_kind(records.values(), "score"), by_kind(records.values(), "opening")
    assert scores
    for body in scores:
        spec = ScoreSpec.from_json(body["spec"])
        assert (spec.id, spec.to_json()) == (body["id"], body["spec"])
    plan = from_records(verbs.load_study(ROOT / "studies" / "sketches.yaml").study, "sketches", records)
    assert (plan.digest, plan.opening_id) == (opening["plan"], opening["id"])
    assert {loss.label: loss.search_id for loss in plan.losses} == opening["searches"]


def test_what_is_asked_for_enters_scores_and_openings_and_no_run(tmp_path):
    plain, asked = (
        plan_of(write_study(tmp_path / name, protocol=text), data="d", test="t")
        for name, text in (("plain", PROTOCOL), ("asked", PROTOCOL + "scores: {recall_at: [1, 2], nmi: true}\n"))
    )
    specs = [plan.score(["a", "b"], output="embedder") for plan in (plain, asked)]
    assert "scores" not in specs[0].to_json()
    assert specs[1].to_json() == {**specs[0].to_json(), "scores": {"recall_at": [1, 2], "nmi": True}}
    assert specs[0].id != specs[1].id and plain.opening_id != asked.opening_id
    assert ScoreSpec.from_json(json.loads(json.dumps(specs[1].to_json()))) == specs[1]
    for one, other in zip(plain.losses, asked.losses, strict=True):
        assert one.search_id == other.search_id
        assert one.replicate_runs(index=0, knobs={}) == other.replicate_runs(index=0, knobs={})


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("asked"), protocol=ASKED)
    study.write_text(study.read_text().replace(" triplet: {},", ""))
    verbs.run_study(
        verbs.load_study(study),
        workers=2,
        device="cpu",
        deadline=600.0,
        reuse=(),
        watch=lambda standings, running: None,
    )
    return study


def test_every_score_record_holds_them_under_both_distances(walked):
    scores = by_kind(Ledger(walked.parent / "small").records.values(), "score")
    assert scores
    for body in scores:
        assert body["spec"]["scores"] == {"recall_at": [1, 4, 1000], "nmi": True}
        for each in (*body["each"], *([body["together"]] if body["together"] else [])):
            for found in each.values():
                assert found.keys() >= METRICS
                assert found["recall_at_1"] == found["precision_at_1"]
                assert found["recall_at_1"] <= found["recall_at_4"] <= found["recall_at_1000"] == 1.0
                assert 0.0 <= found["nmi"] <= 1.0


def test_the_report_shows_them(walked):
    verbs.report_study(walked)
    folder = walked.parent.parent / "reports" / "small"
    table = (folder / "tables.md").read_text()
    assert "| complete-16 P@1 | complete-16 R@1 | complete-16 R@4 | complete-16 R@1000 | complete-16 NMI |" in table
    cells = json.loads((folder / "tables.json").read_text())["datasets"][0]["rows"][0]["cells"]
    assert all(cell["mean"] is not None for cell in cells)
    assert (folder / "index.html").read_text().count(">NMI</th>") == 3
