"""A ledger of another results version is refused by every verb that reads it, and nothing of it changes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from realitycheck import verbs
from realitycheck.canonical import canonical_json, digest
from realitycheck.errors import InputError, LedgerError
from realitycheck.records.from_json import read_record
from realitycheck.records.ledger import Ledger
from realitycheck.runs import RESULTS_VERSION

VERSION_1 = {
    "kind": "proposal",
    "id": digest({"proposal": "s" * 64, "slot": 0}),
    **{"search": "s" * 64, "data": "d" * 64, "dataset": "pictures", "loss": "triplet", "slot": 0},
    **{"knobs": {"margin": 0.5}, "source": "random"},
}
"""As release 0.1 wrote it."""

READERS = {
    "run": lambda study: verbs.run_study(verbs.load_study(study), executor="inline", device="cpu"),
    "report": verbs.report_study,
    "status": verbs.study_standings,
    "pack": verbs.pack_study,
}


def line_of(body: dict) -> str:
    return canonical_json({"body": body, "sha256": digest(body)})


FILES = {"kind": "files", "results_version": RESULTS_VERSION, "files": [["a", "1"], ["b", "2"], ["c", "3"]]}


def write_packed(folder: Path, *bodies: dict) -> Path:
    folder.mkdir(parents=True)
    path = folder / "ledger.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{line_of(body)}\n" for body in bodies).encode()))
    return path


def write_loose(folder: Path, body: dict) -> Path:
    path = folder / "ledger" / body["kind"] / f"{body['id']}.json"
    path.parent.mkdir(parents=True)
    path.write_text(line_of(body))
    return path


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem.code, str(caught.value)


@pytest.mark.parametrize("write", [write_packed, write_loose])
@pytest.mark.parametrize("verb", READERS)
def test_version_1_is_named_and_stays(study_path, verb, write):
    folder = study_path.with_suffix("")
    path = write(folder, VERSION_1)
    before = path.read_bytes()
    code, text = refusal(lambda: READERS[verb](study_path))
    assert code == "ledger-version"
    assert path.name in text and "version 1" in text and f"version {RESULTS_VERSION}" in text
    assert [each for each in folder.rglob("*") if each.is_file()] == [path]
    assert path.read_bytes() == before


def test_a_later_version_is_named_too(tmp_path):
    write_loose(tmp_path, VERSION_1 | {"results_version": RESULTS_VERSION + 1})
    code, text = refusal(lambda: Ledger(tmp_path))
    assert code == "ledger-version" and f"version {RESULTS_VERSION + 1}" in text


def test_records_to_reuse_must_be_of_this_version(study_path, tmp_path):
    write_packed(tmp_path / "other", VERSION_1)
    read = verbs.load_study(study_path)
    code, text = refusal(lambda: verbs.run_study(read, executor="inline", device="cpu", reuse=[tmp_path / "other"]))
    assert code == "ledger-version" and "--reuse" in text


def test_this_version_is_read(tmp_path):
    write_packed(tmp_path / "study", FILES, VERSION_1 | {"results_version": RESULTS_VERSION, "unit": None})
    assert VERSION_1["id"] in Ledger(tmp_path / "study").records


@pytest.mark.parametrize("made_by", [1, RESULTS_VERSION + 1, str(RESULTS_VERSION), None])
def test_an_answer_of_another_version_is_no_record(made_by):
    with pytest.raises(LedgerError):
        read_record(json.loads(json.dumps(VERSION_1 | {"results_version": made_by})))
    with pytest.raises(LedgerError):
        read_record(VERSION_1)
