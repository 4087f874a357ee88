"""A damaged file of the evidence is named and set aside, and the others stay."""

from __future__ import annotations

import random

from realitycheck.records.damaged import set_damaged_aside
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal


def proposal(slot: int) -> Proposal:
    return Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": 0.5}, "random")


def test_damaged_records_and_notes_are_set_aside_and_can_be_made_again(tmp_path):
    ledger = Ledger(tmp_path)
    for slot in range(3):
        ledger.append(proposal(slot))
        ledger.note("done", {"id": str(slot)})
    assert set_damaged_aside(tmp_path) == []
    record = tmp_path / "ledger" / "proposal" / f"{proposal(1).id}.json"
    bad = bytearray(record.read_bytes())
    bad[random.Random(0).randrange(len(bad))] ^= 4
    record.write_bytes(bad)
    note = sorted((tmp_path / "attempts").glob("*.json"))[0]
    note.write_bytes(b"{")
    problems = set_damaged_aside(tmp_path)
    assert [(problem.code, problem.where) for problem in problems] == [
        ("record-damaged", str(record)),
        ("note-damaged", str(note)),
    ]
    (aside,) = record.parent.glob("*.damaged-*")
    assert aside.read_bytes() == bytes(bad) and aside.name in problems[0].says
    again = Ledger(tmp_path)
    assert set(again.records) == {proposal(0).id, proposal(2).id}
    assert len(again.notes()) == 2
    assert again.append(proposal(1))
    assert set_damaged_aside(tmp_path) == []


def test_there_need_be_no_evidence(tmp_path):
    assert set_damaged_aside(tmp_path / "none") == []
