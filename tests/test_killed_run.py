"""A child that is killed in the middle of a run: the next attempt continues from the checkpoint, to the same ledger."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import PROTOCOL, STUDY, write_study
from torch import Tensor

from realitycheck import verbs
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.losses.base import Loss
from realitycheck.protocol.read import ReadStudy, read_study
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.executing import VERBS, preload

SHORT = PROTOCOL.replace("cap: 30, evaluate_every: 10, patience: 2", "cap: 9, evaluate_every: 9, patience: 1")
HELD_AT = 5


class Held(Loss):
    """Writes down its steps, and waits in one of them while a file says so."""

    def __init__(self, *, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.step = 0

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        self.step += 1
        folder = Path(self.folder)
        with (folder / "steps").open("a") as file:
            file.write(f"{self.step}\n")
        while self.step == HELD_AT and (folder / "hold").exists():
            (folder / "held").touch()
            time.sleep(0.01)
        return (embeddings - 0.01 * self.step).square().mean()


def study_of(home: Path, folder: Path) -> ReadStudy:
    choice = f'{{loss: "{__name__}:Held", distance: cosine, family: pairs, space: {{folder: "{folder}"}}}}'
    study = STUDY.replace("{contrastive: {}, triplet: {}, normalized_softmax: {}}", f"{{held: {choice}}}")
    protocol = SHORT.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1")
    return read_study(write_study(home, protocol=protocol, study=study.replace("line: contrastive", "line: held")))


def carry_out(read: ReadStudy, executor: LocalExecutor | InlineExecutor) -> bytes:
    """Do the study; the packed ledger. No recorded run has a checkpoint at any time."""
    folder = read.path.parent / "small"

    def watch(*_: object) -> None:
        kept = {path.stem for path in (folder / "cache" / "checkpoints").glob("*.safetensors")}
        assert not kept & {path.stem for path in (folder / "ledger" / "run").glob("*.json")}

    verbs.carry_out(
        read,
        executor=executor,
        device="cpu",
        reuse=(),
        watch=watch,
        verbs=VERBS,
        checkpoint_seconds=1e-6,
    )
    assert not (folder / "cache" / "checkpoints").exists()
    return Ledger(folder).pack(read.texts()).read_bytes()


def alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def killer(tmp_path) -> Iterator[LocalExecutor]:
    """An executor whose first child is killed when it is held, after a checkpoint."""
    executor = LocalExecutor(devices=(None,), deadline=120.0, memory=None, preload=preload(), pins={})

    def kill() -> None:
        while not (tmp_path / "held").exists():
            time.sleep(0.01)
        pid = executor._children[0].process.pid
        os.kill(pid, signal.SIGKILL)
        while alive(pid):  # not join(): the executor may close the process meanwhile, and its descriptor is used again
            time.sleep(0.01)
        (tmp_path / "hold").rename(tmp_path / "released")

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    yield executor
    thread.join(timeout=1)


def test_a_killed_run_continues_from_its_checkpoint(tmp_path, killer):
    (tmp_path / "hold").touch()
    read = study_of(tmp_path / "killed", tmp_path)
    ledger = carry_out(read, killer)
    notes = Ledger(read.path.parent / "small").notes()
    assert [note["kind"] for note in notes if note["kind"] == "failed"] == ["failed"]
    steps = [int(step) for step in (tmp_path / "steps").read_text().split()]
    assert steps[:HELD_AT] == [*range(1, HELD_AT + 1)]
    continued = steps[HELD_AT]
    assert continued > 1 and steps[HELD_AT : 2 * HELD_AT] == [*range(continued, 10), *range(1, continued + 1)][:HELD_AT]
    assert ledger == carry_out(study_of(tmp_path / "unbroken", tmp_path), InlineExecutor(device=None))
