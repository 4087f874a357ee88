"""Guarantees whose full run is that of `make test` and `make extended`: each is run as a whole, and its row written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import record

TESTS = Path(__file__).parents[1]
GUARANTEES = {
    "P3, any order of failures": ("search/test_any_failures.py",),
    "P4, sixteen writers": ("records/test_sixteen_writers.py",),
    "P5, every refusal of the system": ("records/test_refusals.py",),
    "P6, a checkpoint at every step": ("extended/test_every_cut.py",),
    "P8, one ledger wherever jobs run": ("extended/test_one_ledger.py", "extended/test_ray_contract.py"),
    "P10, every kind of poison": ("executors/test_poison.py", "chaos/test_all_poisons.py"),
    "P11, two coordinators": (
        "search/test_sharing.py",
        "search/test_interleaved_workers.py",
        "search/test_many_workers.py",
    ),
    "P12, no memory on the device": ("search/test_set_aside.py",),
}
"""Name of the row → its files."""


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_guarantee_holds(guarantee):
    files = [str(TESTS / name) for name in GUARANTEES[guarantee]]
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-p", "no:cacheprovider", *files]
    ran = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|skipped)", ran.stdout)}
    assert counts.get("passed")
    skipped = f", {counts['skipped']} skipped" if "skipped" in counts else ""
    record(guarantee, f"passed: {counts['passed']}, failed: 0{skipped}")
