"""`run --executor ray` without an address: the cluster that it starts on this machine gives the records of `local`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from test_resume import evidence

pytest.importorskip("ray")

ROOT = Path(__file__).parents[2]


def carried_out(folder: Path, *words: str) -> dict[str, bytes]:
    folder.mkdir()
    study = write_study(folder, protocol=FINISHED_PROTOCOL, study=FINISHED)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "realitycheck", "run", str(study), "--workers", "2", *words]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, timeout=300)
    return evidence(study)


def test_a_cluster_of_its_own_is_as_local_workers(tmp_path):
    found, expected = carried_out(tmp_path / "ray", "--executor", "ray"), carried_out(tmp_path / "local")
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
