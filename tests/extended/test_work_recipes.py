"""`work` as docs/cluster.md has it: arrays of workers, limits, signals, and two coordinators, with real trainings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from test_resume import evidence

from realitycheck.records.ledger import Ledger

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCS = ROOT / "docs" / "cluster.md"


def environment(folder: Path) -> dict[str, str]:
    """The stand-ins of Slurm and ssh, and the command `realitycheck` on the path."""
    command = folder / "bin" / "realitycheck"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/bash\necho $$ >> "{folder}/workers"\nexec {sys.executable} -m realitycheck "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(HERE / "cluster_commands"), str(command.parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}


def study_in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return write_study(folder, protocol=FINISHED_PROTOCOL, study=FINISHED)


def command(study: Path, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "realitycheck", *words]
    return subprocess.Popen(line, env=environment(study.parents[1]), text=True, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, bytes]:
    """The study by one `run` of one worker."""
    study = study_in(tmp_path_factory.mktemp("alone"))
    with command(study, "run", str(study), "--workers", "1") as process:
        process.communicate()
    assert process.returncode == 0
    return evidence(study)


def notes(study: Path, kind: str) -> list[dict]:
    return [note for note in Ledger(study.parent / study.stem).notes() if note["kind"] == kind]


def assert_as_alone(study: Path, alone: dict[str, bytes]) -> None:
    done = Counter(note["id"] for note in notes(study, "done"))
    assert set(done.values()) == {1}, "a job was done twice"
    found = evidence(study)
    assert [name for name in found if found[name] != alone[name]] == []
    assert list((study.parent / study.stem / "leases").iterdir()) == []


def recipe(heading: str) -> str:
    """The first block of commands below a heading of the docs."""
    text = DOCS.read_text().split(f"## {heading}\n")[1]
    return re.search(r"```bash\n(.*?)```", text, flags=re.DOTALL)[1]


def test_an_array_of_workers_is_as_one(alone, tmp_path):
    study = study_in(tmp_path)
    script = recipe("Slurm").replace("0-31", "0-2").replace("studies/x.yaml", str(study)).replace("55m", "1h")
    subprocess.run(["bash", "-c", script], env=environment(tmp_path), cwd=tmp_path, check=True)
    assert [(tmp_path / f"slurm-{number}.codes").read_text().split() for number in range(3)] == [["0"]] * 3
    assert_as_alone(study, alone)


def test_workers_that_left_are_queued_again(alone, tmp_path):
    """Both leave with 75 in the middle of the study, at a signal in the place of a limit, and ask for themselves."""
    study = study_in(tmp_path)
    script = recipe("Slurm, until the study is done").replace("0-31", "0-1").replace("studies/x.yaml", str(study))
    with subprocess.Popen(["bash", "-c", script], env=environment(tmp_path), cwd=tmp_path) as array:
        wait_for(lambda: len(list((study.parent / study.stem).glob("ledger/run/*.json"))) >= 2)
        for process in (tmp_path / "workers").read_text().split():
            os.kill(int(process), signal.SIGUSR1)
    assert array.returncode == 0
    assert [(tmp_path / f"slurm-{number}.codes").read_text().split() for number in range(2)] == [["0", "0"]] * 2
    assert len((tmp_path / "workers").read_text().split()) == 4
    assert_as_alone(study, alone)


def test_preempted_workers_come_back(alone, tmp_path):
    study = study_in(tmp_path)
    script = recipe("Slurm, preemption").replace("0-31", "0-1").replace("studies/x.yaml", str(study))
    settings = environment(tmp_path) | {"PREEMPT_AT": str(study.parent / study.stem / "ledger" / "run")}
    subprocess.run(["bash", "-c", script], env=settings, cwd=tmp_path, check=True)
    codes = [(tmp_path / f"slurm-{number}.codes").read_text().split() for number in range(2)]
    assert codes == [["75", "0"]] * 2
    assert_as_alone(study, alone)


def test_workers_over_ssh_are_as_one(alone, tmp_path):
    study, settings = study_in(tmp_path), environment(tmp_path)
    installed, codes = tmp_path / ".venv" / "bin" / "realitycheck", tmp_path / "codes"
    installed.parent.mkdir(parents=True)
    installed.write_text(f'#!/bin/bash\n"{tmp_path}/bin/realitycheck" "$@"\necho $? >> "{codes}"\n')
    installed.chmod(0o755)
    script = recipe("ssh").replace("node1 node2 node3", "node1 node2").replace("studies/x.yaml", str(study))
    subprocess.run(["bash", "-c", script], env=settings, cwd=tmp_path, check=True)
    wait_for(lambda: codes.exists() and len(codes.read_text().split()) == 2)
    assert codes.read_text().split() == ["0", "0"]
    assert_as_alone(study, alone)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 75), (signal.SIGUSR1, 75), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_worker_leaves_at_a_signal_and_the_next_one_continues(number, code, alone, tmp_path):
    study = study_in(tmp_path)
    folder = study.parent / study.stem
    with command(study, "work", str(study)) as process:
        wait_for(lambda: len(list(folder.glob("ledger/run/*.json"))) >= 2)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith(("Left before the end.", "Stopped."))
    assert list((folder / "leases").iterdir()) == []
    with command(study, "work", str(study)) as process:
        process.communicate()
    assert process.returncode == 0
    assert_as_alone(study, alone)


def test_two_coordinators_both_end_well(alone, tmp_path):
    study = study_in(tmp_path)
    both = [command(study, "run", str(study), "--workers", "1"), command(study, "work", str(study))]
    for process in both:
        with process:
            said = process.communicate()[1]
            assert "Traceback" not in said
    assert [process.returncode for process in both] == [0, 0]
    assert notes(study, "failed") == []
    assert_as_alone(study, alone)


def test_a_killed_worker_is_replaced_by_the_others(alone, tmp_path):
    study = study_in(tmp_path)
    workers = [command(study, "work", str(study)) for _ in range(3)]
    wait_for(lambda: len(list((study.parent / study.stem).glob("ledger/run/*.json"))) >= 2)
    workers[0].send_signal(signal.SIGKILL)
    for process in workers:
        with process:
            process.communicate()
    assert [process.returncode for process in workers] == [-signal.SIGKILL, 0, 0]
    assert_as_alone(study, alone)


def wait_for(happened, *, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)
