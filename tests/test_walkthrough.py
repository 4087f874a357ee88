"""One study from its file to its page with real training, and the properties that only real training shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.atomic import sha256_of
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, Score, of_type
from realitycheck.stores.cache import publish_json, read_meta
from realitycheck.stores.integrity import file_facts
from realitycheck.verbs.folders import evidence_folder

COMMAND = [sys.executable, "-m", "realitycheck"]


def command(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def poison(study: Path) -> None:
    """Shuffle the labels of the test store and make its pixels noise; nothing else."""
    rng = np.random.default_rng(0)
    read = verbs.load_study(study)
    (stores,) = verbs.prepare_data(read).values()
    pixels = np.load(stores.test.with_suffix(".npy"))
    noise = stores.test.with_suffix(".npy")
    np.save(noise, rng.integers(0, 256, pixels.shape, dtype=np.uint8))
    meta = read_meta(stores.test)
    changed = {"labels": rng.permutation(meta["labels"]).tolist(), "digest": "e" * 64}
    written = file_facts(noise.stat().st_size, sha256_of(noise))
    publish_json(stores.test.with_suffix(".json"), {**meta, **changed, **written})


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("walk"))
    assert "is valid" in command("check", study)
    command("run", study, "--workers", "2")
    return study


def test_every_record_is_there_and_status_says_so(walked):
    assert "6/6" in command("status", walked)
    records = Ledger(walked.parent / "small").records.values()
    assert len(of_type(records, Run)) == 3 * (3 * 2 + 2 * 3) + 2 * 3
    assert len(of_type(records, Score)) == 3 * 2 * 2 + 2 * 2 * 2
    assert not any(run.diverged for run in of_type(records, Run))


def test_the_weights_are_gone_when_all_is_scored(walked):
    assert list((walked.parent / "small" / "cache" / "weights").iterdir()) == []


def test_a_second_run_has_nothing_to_do(walked):
    before = Ledger(walked.parent / "small").digest
    command("run", walked)
    assert Ledger(walked.parent / "small").digest == before


def test_the_report_is_written_and_its_numbers_are_the_ledgers(walked):
    out = command("report", walked)
    page = walked.parent.parent / "reports" / "small" / "index.html"
    assert str(page) in out.replace("\n", "")
    found = json.loads(page.with_name("tables.json").read_text())
    assert "contrastive" in json.dumps(found)
    assert page.read_text().count("<script") == 1


def test_two_losses_saw_the_same_initial_weights(walked):
    """Validation before the first step depends on initial weights and fold alone."""
    runs = of_type(Ledger(walked.parent / "small").records.values(), Run)
    starts = {}
    for run in runs:
        if run.spec.fold is not None:
            key = (run.spec.stage, run.spec.index, run.spec.fold)
            starts.setdefault(key, set()).add(run.curve[0].scores["map_at_r"])
    assert all(len(values) == 1 for values in starts.values())
    assert len({value for values in starts.values() for value in values}) > 3


def test_training_moved_the_validation_score(walked):
    runs = of_type(Ledger(walked.parent / "small").records.values(), Run)
    trained = [run for run in runs if run.best]
    assert any(run.best.scores["map_at_r"] != run.curve[0].scores["map_at_r"] for run in trained)
    for run in trained:
        best = max(point.scores["map_at_r"] for point in run.curve[1:])
        assert run.best.scores["map_at_r"] == best
        assert run.best.iteration > 0


def test_a_poisoned_test_half_leaves_every_search_record_as_it_was(walked, tmp_path):
    study = write_study(tmp_path)
    poison(study)
    verbs.run_study(
        verbs.load_study(study),
        workers=2,
        device="cpu",
        deadline=600.0,
        reuse=(),
        watch=lambda standings, running: None,
    )
    clean, poisoned = (Ledger(path.parent / "small").records for path in (walked, study))
    kept = {key for key, record in clean.items() if isinstance(record, Proposal | Run)}
    assert kept == {key for key, record in poisoned.items() if isinstance(record, Proposal | Run)}
    assert all(clean[key] == poisoned[key] for key in kept)
    scores = [{score.id for score in of_type(records.values(), Score)} for records in (clean, poisoned)]
    assert not scores[0] & scores[1]


def test_bad_input_exits_with_2(tmp_path):
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace("baseline: contrastive", "baseline: contrastiv"))
    assert "contrastive" in command("check", study, code=2)
    assert "contrastive" in command("run", study, code=2)
    assert command("check", tmp_path / "none.yaml", code=2)
    assert command("check", code=2)
    assert command("measure", study, code=2)


def test_evidence_lies_beside_the_study(walked):
    read = verbs.load_study(walked)
    assert evidence_folder(read) == walked.parent / "small"
