"""Sixteen processes write two hundred records at once: one of each is kept, whole."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal

WRITERS, KEYS = 16, 200


def _proposal(slot: int) -> Proposal:
    return Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": slot / KEYS}, "random")


def _write_all(folder: Path, won: multiprocessing.Queue) -> None:
    ledger = Ledger(folder)
    won.put(sum(ledger.append(_proposal(slot)) for slot in range(KEYS)))


def test_sixteen_processes_make_one_record_of_each_key(tmp_path):
    context = multiprocessing.get_context("fork")
    won = context.Queue()
    writers = [context.Process(target=_write_all, args=(tmp_path, won)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    new = sum(won.get(timeout=300) for _ in writers)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert new == KEYS
    assert Ledger(tmp_path).records == {_proposal(slot).id: _proposal(slot) for slot in range(KEYS)}
    assert len(list((tmp_path / "ledger" / "proposal").iterdir())) == KEYS
