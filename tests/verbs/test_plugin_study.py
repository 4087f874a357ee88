"""A study whose loss is a file of its home: its draws repeat, and an edit of it is another identity."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import PROTOCOL, STUDY, write_study

from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, of_type

LOSS = """
import random
import numpy as np
import torch
from torch import nn
from parts import pull

class Noisy(nn.Module):
    def forward(self, embeddings, labels):
        noise = torch.rand(()).item() + np.random.rand() + random.random()
        return pull(embeddings, labels) * (1 + noise)
"""

PARTS = """
from torch.nn.functional import normalize

def pull(embeddings, labels):
    unit = normalize(embeddings, dim=1)
    gaps = (1 - unit @ unit.T) * (labels[:, None] == labels)
    return gaps.mean() - 0.5 * (1 - unit @ unit.T).mean()
"""

SMALL = PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1").replace("cap: 30", "cap: 10")
NOISY = '{contrastive: {}, noisy: {loss: "lab:Noisy", distance: cosine, family: pairs, space: {}}}'


def write_home(folder: Path) -> Path:
    text = STUDY.replace("{contrastive: {}, triplet: {}, normalized_softmax: {}}", NOISY)
    path = write_study(folder, protocol=SMALL, study=text)
    (folder / "lab.py").write_text(LOSS)
    (folder / "parts.py").write_text(PARTS)
    return path


def realitycheck(command: str, study: Path, *options: str) -> str:
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "realitycheck", command, str(study), *options],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def noisy_runs(study: Path) -> list[Run]:
    runs = of_type(Ledger(study.parent / "small").records.values(), Run)
    return [run for run in runs if run.spec.loss and run.spec.loss["label"] == "noisy"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    study = write_home(tmp_path_factory.mktemp("first"))
    realitycheck("run", study)
    return study


def test_draws_from_all_three_global_generators_repeat(finished, tmp_path):
    again = write_home(tmp_path)
    realitycheck("run", again, "--executor", "inline")
    assert Ledger(again.parent / "small").records == Ledger(finished.parent / "small").records
    assert len(noisy_runs(again)) == 2 + 4 + 2  # folds of a trial, folds of two replicates, two complete runs


def test_only_runs_of_the_loss_have_its_source(finished):
    runs = of_type(Ledger(finished.parent / "small").records.values(), Run)
    named = {run.spec.loss["label"] if run.spec.loss else None for run in runs if run.spec.sources}
    assert named == {"noisy"}
    assert {tuple(run.spec.sources) for run in noisy_runs(finished)} == {("lab:Noisy",)}


def test_an_edit_is_named_before_anything_is_trained_anew(finished):
    assert "source-changed" not in realitycheck("check", finished)
    before = realitycheck("status", finished)
    parts = finished.parents[1] / "parts.py"
    parts.write_text(parts.read_text() + "# edited\n")
    for command in ("check", "status"):
        printed = realitycheck(command, finished)
        assert "source-changed" in printed
        assert "8 runs" in printed
        assert "lab:Noisy" in printed
    assert printed.endswith(before)  # what the records show, until a run has the new source
    printed = realitycheck("run", finished)
    assert "source-changed" in printed
    assert len(noisy_runs(finished)) == 16
    assert len({run.spec.sources["lab:Noisy"] for run in noisy_runs(finished)}) == 2
