"""P8: local workers, `work` processes and a Ray cluster, with real trainings: one ledger and one report."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from ray_cluster import VARIABLES, cluster
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from test_resume import evidence

from realitycheck.records.ledger import Ledger

ROOT = Path(__file__).parents[2]

LAB = """
from lab_parts.pulling import pull
from torch import nn

class Pull(nn.Module):
    def __init__(self, *, power):
        super().__init__()
        self.power = power

    def forward(self, embeddings, labels):
        return pull(embeddings, labels, self.power)
"""

PULLING = """
import torch

def pull(embeddings, labels, power):
    unit = torch.nn.functional.normalize(embeddings, dim=1)
    same = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool)
    return ((((1 - unit @ unit.T).clamp_min(0) ** power) * same).sum() / same.sum().clamp_min(1))
"""

STUDY = FINISHED.replace(
    "losses: {contrastive: {}, normalized_softmax: {}}",
    "losses:\n  contrastive: {}\n"
    '  pull: {loss: "lab:Pull", distance: cosine, family: pairs, space: {power: {uniform: [0.5, 3.0]}}}',
)
"""One loss comes with the study, with a package that it imports."""


def study_in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "lab.py").write_text(LAB)
    (folder / "lab_parts").mkdir()
    (folder / "lab_parts" / "pulling.py").write_text(PULLING)
    assert "lab:Pull" in STUDY
    return write_study(folder, protocol=FINISHED_PROTOCOL, study=STUDY)


def start(*words: str) -> subprocess.Popen[str]:
    environment = os.environ | VARIABLES | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    line = [sys.executable, "-m", "realitycheck", *words]
    return subprocess.Popen(line, env=environment, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        with process:
            _, errors = process.communicate()
        assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, bytes]:
    study = study_in(tmp_path_factory.mktemp("alone"))
    finish(start("run", str(study), "--workers", "1"))
    return evidence(study)


def assert_same(study: Path, alone: dict[str, bytes]) -> None:
    found = evidence(study)
    assert sorted(found) == sorted(alone)
    assert [name for name in found if found[name] != alone[name]] == []


@pytest.mark.parametrize("workers", [2, 4])
def test_local_workers(workers, alone, tmp_path):
    study = study_in(tmp_path)
    finish(start("run", str(study), "--workers", str(workers)))
    assert_same(study, alone)


def test_three_processes_of_work(alone, tmp_path):
    study = study_in(tmp_path)
    finish(*(start("work", str(study)) for _ in range(3)))
    assert_same(study, alone)


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
def test_a_ray_cluster(alone, tmp_path):
    """Its node sees files of its own folder alone, and keeps the stores for the next study."""
    study, cache = study_in(tmp_path), tmp_path / "node"
    with cluster(node_cache=cache) as address:
        finish(start("run", str(study), "--executor", "ray", "--address", address, "--workers", "2"))
    assert_same(study, alone)
    done = [note for note in Ledger(study.parent / "small").notes() if note["kind"] == "done"]
    assert done and all("torch" in note["machine"] for note in done)
    assert len(list((cache / "files").iterdir())) == 4, "two stores of two files each, once on the node"
    assert not list((cache / "jobs").iterdir())
