"""`register`: what a study wanted to do is in its ledger before its first record, and a change shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_study import PROTOCOL, STUDY, write_study
from stand_in_run import SEARCHED, whole

from realitycheck import verbs
from realitycheck.canonical import canonical_json
from realitycheck.protocol.read import read_study
from realitycheck.records.from_json import read_record
from realitycheck.records.ledger import Ledger
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Proposal, Run, Score, of_type

BASELINE = "baseline: contrastive"


def registered(study: Path) -> list[Registration]:
    records = of_type(Ledger(study.with_suffix("")).records.values(), Registration)
    return sorted(records, key=lambda record: record.number)


def facts(study: Path) -> dict:
    written = {path.name: path for path in verbs.report_study(study)}
    return json.loads(written["tables.json"].read_text(encoding="utf-8"))


def test_registering_twice_is_registering_once(tmp_path):
    study = write_study(tmp_path)
    first, second = (verbs.register_study(read_study(study)) for _ in range(2))
    assert (first.new, second.new) == (True, False)
    assert registered(study) == [first.record] == [second.record]


def test_it_holds_the_three_files_word_for_word_and_survives_its_json(tmp_path):
    study = write_study(tmp_path)
    record = verbs.register_study(read_study(study)).record
    names = [tmp_path / name for name, _ in record.files]
    assert [text for _, text in record.files] == [name.read_text() for name in names]
    assert len(names) == 3 and names[0] == study
    assert (record.records, record.number, dict(record.openings)) == (0, 0, {"pictures": 0})
    assert set(record.searches["pictures"]) == {"contrastive", "triplet", "normalized_softmax"}
    assert read_record(json.loads(canonical_json(record.to_json()))) == record
    assert str(tmp_path) not in canonical_json(record.to_json())


def test_run_registers_before_its_first_job_with_the_bytes_of_register(tmp_path):
    by_hand, by_run = write_study(tmp_path / "hand"), write_study(tmp_path / "run")
    verbs.register_study(read_study(by_hand))
    texts = []
    for study in (by_hand, by_run):
        (record,) = registered(whole(study, jobs=SEARCHED))
        assert record.records == 0
        texts.append(canonical_json(record.to_json()))
    assert texts[0] == texts[1]
    assert Ledger(by_hand.with_suffix("")).digest == Ledger(by_run.with_suffix("")).digest
    titles = [note["title"] for note in Ledger(by_run.with_suffix("")).notes() if note["kind"] == "registered"]
    assert titles == ["small, by `run`"]


@pytest.mark.parametrize("again", [False, True])
def test_a_change_before_the_opening_is_declared_by_a_second_registration(again, tmp_path):
    study = write_study(tmp_path)
    verbs.register_study(read_study(study))
    study.write_text(STUDY.replace(BASELINE, "baseline: triplet"))
    if again:
        assert verbs.register_study(read_study(study)).record.number == 1
    whole(study, jobs=SEARCHED)
    said = facts(study)
    changes = [summary["deviations"]["pictures"] for summary in said["registrations"]]
    assert changes == ([["baseline changed"], []] if again else [["baseline changed"]])
    late = [] if again else ["contrastive", "normalized_softmax", "triplet"]
    assert said["unregistered"] == {"pictures": late}
    files = [summary["changed_files"] for summary in said["registrations"]]
    assert files == [["studies/small.yaml"], []][: len(files)]


def test_a_loss_that_joins_after_the_registration_is_exploratory(tmp_path):
    study = write_study(tmp_path, study=STUDY.replace("triplet: {}, ", ""))
    verbs.register_study(read_study(study))
    study.write_text(STUDY)
    said = facts(whole(study, jobs=SEARCHED))
    assert said["registrations"][0]["deviations"] == {"pictures": ["triplet added"]}
    assert said["unregistered"] == {"pictures": ["triplet"]}


def test_another_recipe_is_another_search(tmp_path):
    study = write_study(tmp_path)
    verbs.register_study(read_study(study))
    write_study(tmp_path, protocol=PROTOCOL.replace("seed: 7", "seed: 8"))
    said = facts(whole(study, jobs=SEARCHED))["registrations"][0]["deviations"]["pictures"]
    assert said == [f"{label} searched otherwise" for label in ("contrastive", "triplet", "normalized_softmax")]


def test_a_ledger_without_a_registration_is_reported_and_registered_late(tmp_path):
    study = whole(write_study(tmp_path), jobs=SEARCHED)
    (path,) = (study.with_suffix("") / "ledger" / "registration").iterdir()
    path.unlink()
    records = Ledger(study.with_suffix("")).records.values()
    count = sum(isinstance(record, Proposal | Run | Score) for record in records)
    assert facts(study)["registrations"] == []
    whole(study, jobs=SEARCHED)
    (summary,) = facts(study)["registrations"]
    assert (summary["records"], summary["openings"]) == (count, {"pictures": 1})
    assert facts(study)["unregistered"] == {"pictures": []}


def test_a_packed_ledger_begins_with_its_registration(tmp_path):
    study = write_study(tmp_path)
    record = verbs.register_study(read_study(study)).record
    verbs.pack_study(study)
    (study.with_suffix("") / "ledger" / "registration" / f"{record.id}.json").unlink()
    assert registered(study) == [record]
    assert verbs.register_study(read_study(study)).new is False
