"""A packed ledger is enough for the report, and it tells nothing of the machine that it was made on."""

from __future__ import annotations

import getpass
import gzip
import json
import platform
import re
import shutil
from pathlib import Path

import pytest

from realitycheck import verbs
from realitycheck.errors import InputError, LedgerError
from realitycheck.records.ledger import Ledger


@pytest.fixture
def packed(finished, tmp_path) -> Path:
    """The file of the finished study in a copy that has the packed ledger alone, without loose records and images."""
    home = tmp_path / "elsewhere"
    for name in ("protocols", "studies"):
        shutil.copytree(finished.parent.parent / name, home / name)
    study = home / "studies" / finished.name
    for name in ("ledger", "attempts", "cache"):
        shutil.rmtree(study.with_suffix("") / name)
    return study


def reported(study: Path) -> dict[str, bytes]:
    folder = study.parent.parent / "reports"
    written = {path: path.read_bytes() for path in verbs.report_study(study)}
    return {str(path.relative_to(folder)): text for path, text in written.items() if path.name != "provenance.html"}


def test_the_report_is_the_same_after_the_files_changed_and_after_they_are_gone(packed):
    before = reported(packed)
    assert verbs.report_with_changes(packed).changed == ()
    protocol = packed.parent.parent / "protocols" / "tiny.yaml"
    packed.write_text(packed.read_text().replace("Do the parts fit together?", "Another question?"))
    protocol.write_text("protocol: [broken")
    assert verbs.report_with_changes(packed).changed == ("studies/small.yaml", "protocols/tiny.yaml")
    assert reported(packed) == before
    shutil.rmtree(protocol.parent)
    packed.unlink()
    assert verbs.report_with_changes(packed).changed == ()
    assert reported(packed) == before
    assert any(b"Do the parts fit together?" in text for text in before.values())


def test_a_study_that_went_on_since_is_reported_by_its_files(packed, finished):
    """One record is loose: what was packed is not all that there is."""
    pack = packed.with_suffix("") / "ledger.jsonl.gz"
    records = gzip.decompress(pack.read_bytes()).decode().splitlines(keepends=True)
    pack.write_bytes(gzip.compress("".join(records[:-1]).encode()))
    body = json.loads(records[-1])["body"]
    loose = Path("ledger", body["kind"], f"{body['id']}.json")
    (packed.with_suffix("") / loose).parent.mkdir(parents=True)
    (packed.with_suffix("") / loose).write_text(records[-1].rstrip("\n"))
    packed.write_text(packed.read_text().replace("Do the parts fit together?", "Another question?"))
    assert verbs.report_with_changes(packed).changed == ()
    assert any(b"Another question?" in text for text in reported(packed).values())


def test_without_files_and_without_a_pack_the_study_is_missing(tmp_path):
    with pytest.raises(InputError) as caught:
        verbs.report_study(tmp_path / "studies" / "none.yaml")
    assert [problem.code for problem in caught.value.problems] == ["file-unreadable"]


def test_a_mistyped_ending_is_no_other_study(packed):
    """Its report would call the texts of the registration changed."""
    with pytest.raises(InputError) as caught:
        verbs.report_study(packed.with_suffix(".txt"))
    assert [problem.code for problem in caught.value.problems] == ["file-unreadable"]
    packed.rename(packed.with_suffix(".yml"))
    assert verbs.report_with_changes(packed.with_suffix(".yml")).written


def test_packing_again_takes_the_files_as_they_are(packed):
    packed.write_text(packed.read_text().replace("Do the parts fit together?", "Another question?"))
    verbs.pack_study(packed)
    assert verbs.report_with_changes(packed).changed == ()
    assert any(b"Another question?" in text for text in reported(packed).values())


def test_changed_text_is_found(packed):
    path = packed.with_suffix("") / "ledger.jsonl.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b"Do the parts fit together?", b"Do the parts fit together!")))
    with pytest.raises(LedgerError, match="line 1"):
        verbs.report_study(packed)


def test_the_pack_names_no_machine_and_no_place(finished, tmp_path):
    """Grep both packed files for host, user, addresses and the folders of this machine."""
    home = tmp_path / "private place"
    shutil.copytree(finished.parent.parent, home)
    study = home / "studies" / finished.name
    folder = study.with_suffix("")
    inside = Path(verbs.__file__)
    reason = f"{home}/pictures/a.jpg by grace@hopper.example.org at 192.168.7.9 on {platform.node()}: in {inside}"
    Ledger(folder).note("failed", {"id": "f" * 64, "attempt": 1, "seconds": 0.5, "reason": reason})
    before = Ledger(folder).notes()
    verbs.pack_study(study)
    texts = [gzip.decompress(path.read_bytes()).decode() for path in folder.glob("*.gz")]
    assert len(texts) == 2
    user = [] if getpass.getuser() == "root" else [getpass.getuser()]
    for secret in (str(home), "private place", str(tmp_path), "hopper", "grace", "192.168", platform.node(), *user):
        for text in texts:
            assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text), secret
    assert "in realitycheck/verbs/__init__.py" in texts[0] + texts[1]
    shutil.rmtree(folder / "attempts")
    after = Ledger(folder).notes()
    for name in ("kind", "time", "id", "title", "seconds", "attempt"):
        assert [note.get(name) for note in after] == [note.get(name) for note in before]
