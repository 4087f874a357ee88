"""P8: workers, the coordinator and the whole cluster of Ray are killed, and the study ends with the same records."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import ray_cluster
from recorded import record
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from test_resume import evidence

from realitycheck.records.ledger import Ledger

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("CHAOS_RAY_KILLS", "12")) // 3
"""Rounds of three kills: of an actor, of the coordinator, and of all processes of the cluster."""

PROTOCOL = FINISHED_PROTOCOL.replace("seeds: 2", "seeds: 6")


def start(study: Path, *words: str) -> subprocess.Popen[bytes]:
    variables = ray_cluster.VARIABLES | {"RAY_gcs_rpc_server_reconnect_timeout_s": "5"}
    environment = os.environ | variables | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    line = [sys.executable, "-m", "realitycheck", "run", str(study), "--workers", "2", *words]
    with (study.parent / "output").open("ab") as output:
        return subprocess.Popen(line, env=environment, stdout=output, stderr=output)


def records(study: Path) -> int:
    """The recorded trainings: when there is one, there are actors."""
    return len(list((study.parent / "small" / "ledger" / "run").rglob("*.json")))


def more_records(study: Path, process: subprocess.Popen[bytes], *, count: int) -> bool:
    """Wait for more records; whether they came before the process ended."""
    before = records(study)
    while process.poll() is None:
        if records(study) >= before + count:
            return True
        time.sleep(0.05)
    return False


def actors(head: subprocess.Popen[bytes]) -> list[int]:
    """The processes of a cluster's actors."""
    found = []
    for number in ray_cluster.family_of(head.pid):
        with suppress(OSError):
            if Path(f"/proc/{number}/comm").read_text().startswith("ray::RayHost"):
                found.append(number)
    return found


def kill_cluster(head: subprocess.Popen[bytes]) -> None:
    for member in sorted(ray_cluster.family_of(head.pid)):
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    head.wait()


def test_kills_of_actors_coordinators_and_clusters_change_no_record(tmp_path):
    alone = write_study(tmp_path / "alone", protocol=PROTOCOL, study=FINISHED)
    assert start(alone).wait() == 0
    study = write_study(tmp_path / "killed", protocol=PROTOCOL, study=FINISHED)
    kills = dict.fromkeys(("actor", "coordinator", "cluster"), 0)
    rng = random.Random(8)
    for number in range(ROUNDS + 1):
        folder = Path(tempfile.mkdtemp(prefix="rc-ray-"))  # a short path, for Ray's sockets are in it
        head = ray_cluster.start(folder, node_cache=tmp_path / "node")
        try:
            address = ray_cluster.address_of(folder, head)
            kinds = [] if number == ROUNDS else ["actor", "coordinator", "cluster"]
            coordinator = start(study, "--executor", "ray", "--address", address)
            for kind in kinds:
                if not more_records(study, coordinator, count=1 + rng.randrange(2)):
                    break
                kills[kind] += 1
                if kind == "actor":
                    os.kill(rng.choice(actors(head)), signal.SIGKILL)
                elif kind == "coordinator":
                    coordinator.kill()
                    coordinator.wait()
                    coordinator = start(study, "--executor", "ray", "--address", address)
                else:
                    kill_cluster(head)
                    assert coordinator.wait() != 0, "a coordinator ends with its cluster"
            if coordinator.wait() == 0:
                break
        finally:
            ray_cluster.stop(head)
            shutil.rmtree(folder, ignore_errors=True)
    assert coordinator.returncode == 0, (study.parent / "output").read_text()
    found, expected = evidence(study), evidence(alone)
    assert [name for name in expected if found[name] != expected[name]] == []
    notes = list(Ledger(study.parent / "small").notes())
    assert not [note for note in notes if note["kind"] == "alarm"]
    assert any("was lost" in str(note.get("reason")) for note in notes if note["kind"] == "failed")
    counts = ", ".join(f"{count} of {'an' if kind == 'actor' else 'a'} {kind}" for kind, count in kills.items())
    record("kills on Ray", f"{counts}; {len(Ledger(study.parent / 'small').records)} records, all equal")
