"""Every kind of poison at once in one study: each such loss is FAILED with its reason, and all others are scored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import PROTOCOL, STUDY, write_study

from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, Score, of_type

LAB = """
import ctypes, os, re, subprocess, sys, time
import torch
from torch import nn

class Good(nn.Module):
    def forward(self, embeddings, labels):
        distances = torch.cdist(embeddings, embeddings)
        same = labels[:, None] == labels[None]
        if self.steps == 3:
            self.poison()
        self.steps += 1
        return (distances * same).mean() - (distances * ~same).clamp(max=1).mean()

    steps = 0

    def poison(self):
        pass

class Segfault(Good):
    def poison(self):
        ctypes.string_at(0)

class Hang(Good):
    def poison(self):
        time.sleep(600)

class HoldTheLock(Good):
    def poison(self):
        re.match("(a*)*b", "a" * 40)

class Eat(Good):
    def poison(self):
        self.kept = [bytes(b"x" * 20_000_000) for _ in range(60)]
        time.sleep(600)

class Leave(Good):
    def poison(self):
        os._exit(7)

class Fork(Good):
    def poison(self):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        if os.fork():
            os._exit(8)
        time.sleep(600)

class Flood(Good):
    def poison(self):
        for _ in range(300):
            os.write(1, b"x" * 100_000)
        os._exit(9)

class NoText(Good):
    def poison(self):
        raise MemoryError("cannot read caf\\udce9.bin")

class NoJson(Good):
    def poison(self):
        sys.exit("leaving")
"""

REASONS = {
    "segfault": "SIGSEGV",
    "hang": "--deadline",
    "holdthelock": "--deadline",
    "eat": "--memory",
    "leave": "exit code 7",
    "fork": "exit code 8",
    "flood": "exit code 9",
    "notext": "MemoryError",
    "nojson": "SystemExit",
}
"""Label of a loss → what its reason says."""

SHORT = PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1").replace("cap: 30", "cap: 10")


def chosen(name: str) -> str:
    return f'  {name.lower()}: {{loss: "lab:{name}", distance: cosine, family: pairs, space: {{}}}}\n'


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux alone")
def test_every_poison_at_once_and_all_other_losses_are_scored(tmp_path):
    names = [line.split()[1].split("(")[0] for line in LAB.splitlines() if line.startswith("class ")]
    assert {name.lower() for name in names} == {"good", *REASONS}
    losses = "losses:\n  contrastive: {}\n" + "".join(chosen(name) for name in names)
    text = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", losses)
    study = write_study(tmp_path, protocol=SHORT, study=text)
    (tmp_path / "lab.py").write_text(LAB)
    command = [sys.executable, "-m", "realitycheck", "run", str(study), "--deadline", "0.1", "--memory", "1.2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("set aside: ")]
    for label, reason in REASONS.items():
        (line,) = [line for line in lines if f"pictures/{label}:" in line]
        assert reason in line, line
    assert len(lines) == len(REASONS)
    assert "Traceback (most recent call last)" not in done.stderr
    ledger = Ledger(study.parent / "small")
    (opening,) = of_type(ledger.records.values(), Opening)
    assert set(opening.searches) == {"contrastive", "good"}
    assert len(of_type(ledger.records.values(), Score)) >= 8
    failed = [note for note in ledger.notes() if note["kind"] == "failed"]
    assert max(note["attempt"] for note in failed) == 3
    assert all("Segmentation fault" in note["traceback"] for note in failed if "segfault" in note["title"])
    assert not left_behind(tmp_path)


def left_behind(home: Path) -> list[str]:
    """Commands of processes whose working directory or arguments name the study's home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in command or "time.sleep(600)" in command:
            found.append(command)
    return found
