"""How often commands read the files of a ledger, and how often a study forces one to the disk: both are slow."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from stand_in_run import whole

from realitycheck import verbs
from realitycheck.records import ledger
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal

RECORD = Proposal("s" * 64, "d" * 64, "birds", "triplet", 0, {"margin": 0.5}, "random")


@pytest.fixture
def reads(monkeypatch):
    """Path of a file → how often it was read."""
    counts, honest = Counter(), ledger._text_of

    def counted(path):
        counts[path] += 1
        return honest(path)

    monkeypatch.setattr(ledger, "_text_of", counted)
    return counts


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("verb", [verbs.study_status, verbs.report_with_changes])
def test_every_record_is_read_once(study_path, reads, verb):
    whole(study_path)
    folder, kinds = study_path.parent / "small", {"registration", "proposal", "run", "score", "opening"}
    reads.clear()
    verb(study_path)
    records = [path for kind in kinds for path in (folder / "ledger" / kind).glob("*.json")]
    assert len(records) > 50 and {reads[path] for path in records} == {1}
    notes = [path for path in reads if path.parent.name == "attempts"]
    assert len(notes) == (0 if verb is verbs.study_status else len(list((folder / "attempts").glob("*.json"))))


def test_notes_of_one_kind_are_those_of_all_that_have_it(tmp_path):
    kept = Ledger(tmp_path)
    for kind in ("done", "diverged", "set-aside"):
        kept.note(kind, {"id": kind})
    assert [note["id"] for note in kept.notes(kinds=("set-aside", "done"))] == ["done", "set-aside"]
    assert len(kept.notes()) == 3


def test_a_record_its_note_and_its_lease_force_three_writes(tmp_path, monkeypatch):
    """The file and the name of a record, the file of a note, and nothing of a lease: it is advice."""
    forced = []
    monkeypatch.setattr(os, "fsync", forced.append)
    leases = Leases(tmp_path)
    assert leases.take("a" * 64, title="a job")
    assert len(forced) == 0
    Ledger(tmp_path).append(RECORD)
    assert len(forced) == 2
    Ledger(tmp_path).note("done", {"id": RECORD.id})
    assert len(forced) == 3
    leases.close()
