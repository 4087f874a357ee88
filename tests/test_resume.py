"""Killed at random moments and run again, on one worker or many: the same ledger and the same report, byte for byte."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger

HERE = Path(__file__).parent


def start(study: Path, workers: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "stand_in_study.py"), str(study), str(workers)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def finish(study: Path, workers: int) -> None:
    with start(study, workers) as process:
        process.communicate()
    assert process.returncode == 0


def kill_after(study: Path, workers: int, *, lines: int, seconds: float) -> None:
    """Kill -9 the coordinator so many progress lines after its start, and a little later."""
    with start(study, workers) as process:
        for _ in range(lines):
            process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def evidence(study: Path) -> dict[str, bytes]:
    """The packed ledger, and the report without its provenance."""
    folder = study.parent / study.stem
    ledger = Ledger(folder)
    written = verbs.report_study(study)
    claims = {path.name: path.read_bytes() for path in written if path.name != "provenance.html"}
    return {"ledger": ledger.pack(read_study(study).texts()).read_bytes(), **claims}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> dict[str, bytes]:
    study = write_study(tmp_path_factory.mktemp("unbroken"))
    finish(study, 1)
    return evidence(study)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_killed_and_run_again_is_the_unbroken_study(workers, unbroken, tmp_path):
    study = write_study(tmp_path)
    rng = random.Random(workers)
    for _ in range(3):
        kill_after(study, workers, lines=rng.randrange(1, 25), seconds=0.05 * rng.random())
    finish(study, workers)
    found = evidence(study)
    assert sorted(found) == sorted(unbroken)
    assert [name for name in found if found[name] != unbroken[name]] == []
