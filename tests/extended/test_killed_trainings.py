"""Studies of real trainings, killed at random moments and run again: the ledger of the unbroken one, byte for byte."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from seen_checkpoints import checkpoints
from small_study import PROTOCOL, write_study

from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger

TESTS = Path(__file__).parents[1]
SLOW = PROTOCOL.replace("cap: 30, evaluate_every: 10", "cap: 300, evaluate_every: 100").replace("count: 2", "count: 3")
KILLS = 20

RUN = """
import sys
from pathlib import Path
if __name__ == "__main__":
    from realitycheck import load_study, run_study
    run_study(load_study(Path(sys.argv[1])), workers=2, checkpoint_seconds=0.2)
"""


def start(study: Path) -> subprocess.Popen[bytes]:
    script = study.parent / "script.py"
    script.write_text(RUN)
    return subprocess.Popen(
        [sys.executable, str(script), str(study)], env=os.environ | {"PYTHONPATH": str(TESTS.parent)}
    )


def ledger(study: Path) -> bytes:
    return Ledger(study.parent / study.stem).pack(read_study(study).texts()).read_bytes()


def finish(study: Path) -> bytes:
    with start(study) as process:
        assert process.wait() == 0
    return ledger(study)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> bytes:
    return finish(write_study(tmp_path_factory.mktemp("unbroken"), protocol=SLOW))


def test_killed_trainings_give_the_unbroken_ledger(unbroken, tmp_path):
    """Each kill comes after a new checkpoint, so that every restart has one to continue from."""
    study, rng, seen = write_study(tmp_path, protocol=SLOW), random.Random(0), set()
    folder = study.parent / study.stem / "cache" / "checkpoints"
    kills = 0
    while kills < KILLS:
        with start(study) as process:
            while process.poll() is None:
                found = checkpoints(study)
                if found - seen:
                    seen |= found
                    time.sleep(0.3 * rng.random())
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                    break
                time.sleep(0.01)
        if process.returncode == 0:
            break
    assert kills >= 5
    assert finish(study) == unbroken
    assert not folder.exists()
