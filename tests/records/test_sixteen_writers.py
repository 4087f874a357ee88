"""Sixteen processes write the same records at once: one of each is kept, whole, and other numbers are an alarm."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from realitycheck.errors import LedgerError
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal

WRITERS, KEYS = 16, 200
DIFFERENT = 10
"""Keys under which each writes other numbers: for every alarm all notes are read."""


def _proposal(slot: int, *, margin: float = 0.5) -> Proposal:
    return Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": margin}, "random")


def _write_all(folder: Path, won: multiprocessing.Queue) -> None:
    ledger = Ledger(folder)
    won.put(sum(ledger.append(_proposal(slot)) for slot in range(KEYS)))


def _write_own(folder: Path, refused: multiprocessing.Queue, number: int) -> None:
    """Write the same keys with numbers of its own."""
    ledger, count = Ledger(folder), 0
    for slot in range(DIFFERENT):
        try:
            ledger.append(_proposal(slot, margin=number / WRITERS))
        except LedgerError:
            count += 1
    refused.put(count)


def _at_once(work: Callable[..., None], folder: Path, *, numbered: bool) -> int:
    """The sum of what sixteen processes count."""
    context = multiprocessing.get_context("fork")
    counts = context.Queue()
    writers = [
        context.Process(target=work, args=(folder, counts, *([number] if numbered else [])))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    total = sum(counts.get(timeout=300) for _ in writers)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    return total


def test_sixteen_processes_make_one_record_of_each_key(tmp_path):
    assert _at_once(_write_all, tmp_path, numbered=False) == KEYS
    assert Ledger(tmp_path).records == {_proposal(slot).id: _proposal(slot) for slot in range(KEYS)}
    assert len(list((tmp_path / "ledger" / "proposal").iterdir())) == KEYS


def test_of_sixteen_different_records_one_is_kept_and_fifteen_are_alarms(tmp_path):
    assert _at_once(_write_own, tmp_path, numbered=True) == (WRITERS - 1) * DIFFERENT
    ledger = Ledger(tmp_path)
    assert sorted(record.slot for record in ledger.records.values()) == list(range(DIFFERENT))
    alarms = Counter(note["id"] for note in ledger.notes(kinds=["alarm"]))
    assert set(alarms) == set(ledger.records) and set(alarms.values()) == {WRITERS - 1}
    assert len(list((tmp_path / "attempts" / "refused").iterdir())) == (WRITERS - 1) * DIFFERENT
