"""Processes that append records and are killed at any moment: what `append` returned for is kept."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal

ID = 64


def proposal(slot: int) -> Proposal:
    return Proposal("s" * ID, "d" * ID, "birds", "triplet", slot, {"margin": 0.5}, "random")


def kill_writers(folder: Path, *, kills: int, seed: int) -> int:
    """Kill a writer so many times, and return how many records were acknowledged; all of them must be there, whole."""
    draw, kept, slot = random.Random(seed), set[str](), 0
    for _ in range(kills):
        wanted = draw.randrange(4)
        acknowledged = _killed(folder, slot, wanted=wanted, late=draw.random() * 0.004)
        kept |= set(acknowledged)
        slot += len(acknowledged)
        found = set(Ledger(folder).records)  # raises where one is torn
        assert kept <= found, "a record that was acknowledged is lost"
        assert len(found) <= slot + 1, "at most the one that was being written is there unacknowledged"
        slot = len(found)
    return len(kept)


def _killed(folder: Path, first: int, *, wanted: int, late: float) -> list[str]:
    """Let a process append until it has acknowledged so many records, and kill it a moment later."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        ledger, slot = Ledger(folder), first
        while True:
            ledger.append(proposal(slot))
            os.write(theirs, proposal(slot).id.encode())
            slot += 1
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        heard = pipe.read(ID * wanted)
        time.sleep(late)  # milliseconds: kills fall everywhere within a write
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        heard += pipe.read()
    return [heard[start : start + ID].decode() for start in range(0, len(heard) - ID + 1, ID)]
