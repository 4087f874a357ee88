"""Scores that a protocol asks for, from its file to its page; and ids that do not know of them without."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.schema import Opening, Score, of_type
from realitycheck.runs import ScoreSpec

ASKED = PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1") + (
    "scores: {recall_at: [1, 2]}\n"
    "on: {folder: {scores: {recall_at: [1, 4, 1000], nmi: true, ndcg_at_r: true, precision_at: [2]}}}\n"
)
METRICS = {"recall_at_1", "recall_at_4", "recall_at_1000", "nmi", "ndcg_at_r", "precision_at_2"}


def packed_bodies(folder: Path) -> Iterator[dict]:
    with gzip.open(folder / "ledger.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from [json.loads(line)["body"] for line in lines][1:]  # the first holds the files


def plan_of(study: Path, *, data: str, test: str) -> DatasetPlan:
    read = verbs.load_study(study).study
    return DatasetPlan(read, read.datasets[0].name, data, test)


def test_scores_keep_their_ids(finished):
    """Every score of a packed ledger reads back to its own id, and the plan to that of its opening."""
    folder = finished.with_suffix("")
    records = Ledger(folder).records
    scores, (opening,) = of_type(records.values(), Score), of_type(records.values(), Opening)
    assert scores
    packed = {body["id"]: body for body in packed_bodies(folder)}
    for score in scores:
        spec = ScoreSpec.from_json(packed[score.id]["spec"])
        assert (spec.id, spec.to_json()) == (score.id, packed[score.id]["spec"])
    plan = from_records(verbs.load_study(finished).study, "pictures", records)
    assert (plan.digest, plan.opening_id) == (opening.plan, opening.id)
    assert {loss.label: tuple(search.id for search in loss.searches) for loss in plan.losses} == opening.searches


def test_what_is_asked_for_enters_scores_and_openings_and_no_run(tmp_path):
    plain, asked = (
        plan_of(write_study(tmp_path / name, protocol=text), data="d", test="t")
        for name, text in (("plain", PROTOCOL), ("asked", PROTOCOL + "scores: {recall_at: [1, 2], nmi: true}\n"))
    )
    specs = [plan.score(["a", "b"], evaluation="clean") for plan in (plain, asked)]
    assert specs[0].to_json()["scores"] is None
    assert specs[1].to_json() == {**specs[0].to_json(), "scores": {"recall_at": [1, 2], "nmi": True}}
    assert specs[0].id != specs[1].id and plain.opening_id != asked.opening_id
    assert ScoreSpec.from_json(json.loads(json.dumps(specs[1].to_json()))) == specs[1]
    for one, other in zip(plain.searches, asked.searches, strict=True):
        assert one.id == other.id
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
    scores = of_type(Ledger(walked.parent / "small").records.values(), Score)
    assert scores
    for score in scores:
        assert score.spec.scores == {"recall_at": [1, 4, 1000], "nmi": True, "ndcg_at_r": True, "precision_at": [2]}
        for model in (*score.models, *([score.together] if score.together else [])):
            for values in (distance.scores for distance in model.values()):
                assert values.keys() >= METRICS
                assert values["recall_at_1"] == values["precision_at_1"]
                assert values["recall_at_1"] <= values["recall_at_4"] <= values["recall_at_1000"] == 1.0
                assert 0.0 <= values["nmi"] <= 1.0


def test_the_report_shows_them(walked):
    verbs.report_study(walked)
    folder = walked.parent.parent / "reports" / "small"
    table = (folder / "tables.md").read_text()
    headings = ["P@1", "R@1", "R@4", "R@1000", "P@2", "nDCG@R", "NMI"]
    assert f"| {' | '.join(f'complete-16 {heading}' for heading in headings)} |" in table
    cells = json.loads((folder / "tables.json").read_text())["datasets"][0]["rows"][0]["cells"]
    assert all(cell["mean"] is not None for cell in cells)
    scores = (folder / "index.html").read_text().split(">Test scores</h3>")[1].split("<h3")[0]
    assert scores.count(">NMI</th>") == 3
