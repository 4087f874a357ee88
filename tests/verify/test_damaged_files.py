"""Files of a report, and ledgers, that somebody cut, emptied or replaced: each is named, and nothing else stops."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tampered import Copy

from realitycheck import verbs
from realitycheck.errors import LedgerError

DEEP = "[" * 100_000
SHAPES = ("{}", "[]", "5", "null", DEEP, '{"datasets": 5}', '{"datasets": [null]}', '{"version": 1, "datasets": NaN}')


def found(copy: Copy) -> set[str]:
    return {problem.code for problem in verbs.verify_study(copy.study, ask=False).problems}


@pytest.fixture
def copy(reported: Copy, tmp_path: Path) -> Copy:
    return reported.copied(tmp_path / "home")


@pytest.mark.parametrize("text", SHAPES, ids=lambda text: text[:20])
def test_tables_of_another_shape_are_named(copy: Copy, text: str):
    (copy.report / "tables.json").write_text(text)
    assert found(copy) & {"report-incomplete", "table-differs"}


@pytest.mark.parametrize("value", [None, "x", []], ids=repr)
@pytest.mark.parametrize("key", ["rows", "comparisons", "warnings", "answers", "ranks", "untrained", "shared_effects"])
def test_a_part_of_the_tables_of_another_kind_is_named(copy: Copy, key: str, value: object):
    path = copy.report / "tables.json"
    body = json.loads(path.read_text())
    body["datasets"][0][key] = 5 if body["datasets"][0][key] == value else value
    path.write_text(json.dumps(body))
    assert found(copy) & {"report-incomplete", "table-differs", "sentence-differs"}


@pytest.mark.parametrize("name", ["index.html", "tables.csv", "tables.md", "tables.tex", "methods.tex", "tables.json"])
def test_a_file_that_is_no_text_is_named(copy: Copy, name: str):
    path = copy.report / name
    path.write_bytes(path.read_bytes() + b"\xff\xfe")
    assert "report-incomplete" in found(copy)


def test_a_record_of_deep_brackets_is_damaged(copy: Copy):
    with gzip.open(copy.pack, "at", encoding="utf-8") as lines:
        lines.write(DEEP + "\n")
    assert "ledger-damaged" in found(copy)


def test_an_untrained_model_without_its_fold_runs_belongs_to_the_study(copy: Copy):
    """As after an interruption: the complete run is done, and one of a fold is not."""

    def is_first_fold(line: dict) -> bool:
        spec = line["body"].get("spec", {}) if line["body"].get("kind") == "run" else {"loss": "", "fold": None}
        return spec["loss"] is None and spec["fold"] == 0

    lines = copy.lines()
    lost = next(line for line in lines if is_first_fold(line))
    copy.write([line for line in lines if line is not lost])
    assert "record-foreign" not in found(copy)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["no byte", "no line"])
def test_an_empty_ledger_is_damaged_and_not_a_study_without_records(copy: Copy, content: bytes):
    copy.pack.write_bytes(content)
    assert "ledger-damaged" in found(copy)
    for verb in (verbs.study_standings, verbs.report_study, verbs.pack_study):
        with pytest.raises(LedgerError):
            verb(copy.study)
    assert copy.pack.read_bytes() == content


def test_a_ledger_that_cannot_be_listed_is_not_an_empty_one(copy: Copy, monkeypatch: pytest.MonkeyPatch):
    kind = copy.study.with_suffix("") / "ledger" / "run"
    kind.mkdir(parents=True)
    listed = Path.iterdir

    def iterdir(path: Path):
        if path == kind:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(PermissionError):
        verbs.verify_study(copy.study, ask=False)
