"""P2, P3: studies that are killed in mid-run, again and again, end with the ledger and the report of unbroken ones.

`CHAOS_STUDIES` says how many; `CHAOS_FIRST` is the number of the first, so that they can be done in parts.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorded import record
from seen_checkpoints import checkpoints
from small_study import PROTOCOL, SPACES, STUDY, write_study
from test_resume import evidence

from realitycheck import verbs
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import Stage

COUNT = int(os.environ.get("CHAOS_STUDIES", "100"))
FIRST = int(os.environ.get("CHAOS_FIRST", "0"))
TRIALS, FOLDS, REPLICATES = 2, 2, 2
LONG = PROTOCOL.replace("cap: 30, evaluate_every: 10", "cap: 60, evaluate_every: 20").replace("trials: 3", "trials: 2")
GP = LONG.replace("sampler: random", "sampler: gp").replace("startup_trials: 2", "startup_trials: 1")
KINDS = (
    (LONG, "{contrastive: {}, normalized_softmax: {}}"),
    (GP, "{normalized_softmax: {}, triplet: {}}"),
    (LONG, "{contrastive: {}, triplet_distance_weighted: {}}"),
)
"""Protocol and losses: without state, with parameters, with draws of its own; proposals of earlier results."""
LOSSES = 2
SPACE = "\ntriplet_distance_weighted:\n  margin: {uniform: [0.0, 1.0]}\n"
CHECKPOINT_SECONDS = 0.02
LOCAL = """
import sys
from pathlib import Path
if __name__ == "__main__":
    from realitycheck import load_study, run_study
    run_study(load_study(Path(sys.argv[1])), workers=2, checkpoint_seconds=0.02)
"""


def write(home: Path, *, kind: int) -> Path:
    protocol, losses = KINDS[kind]
    text = STUDY.replace("{contrastive: {}, triplet: {}, normalized_softmax: {}}", losses)
    text = text.replace("baseline: contrastive", f"baseline: {losses[1:].partition(':')[0]}")
    study = write_study(home, protocol=protocol, study=text)
    (home / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + SPACE)
    return study


def carry_out(study: Path) -> None:
    """In a process of its own, which trains itself: a kill meets a run."""
    result = verbs.run_study(verbs.load_study(study), executor="inline", checkpoint_seconds=CHECKPOINT_SECONDS)
    assert not result.left and not result.alarms


class Trainer:
    """A process that carries a study out: a fork of one that has torch loaded, or two workers of a coordinator."""

    def __init__(self, study: Path, *, workers: int) -> None:
        self._forked = self._coordinator = None
        if workers == 1:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(
                ["realitycheck.executors.preload", "realitycheck.verbs", "test_many_studies"]
            )
            self._forked = context.Process(target=carry_out, args=(study,))
            self._forked.start()
        else:
            script = study.parent / "script.py"
            script.write_text(LOCAL)
            self._coordinator = subprocess.Popen([sys.executable, str(script), str(study)])

    def code(self) -> int | None:
        return self._forked.exitcode if self._forked else self._coordinator.poll()

    def wait(self, seconds: float) -> int | None:
        if self._forked:
            self._forked.join(seconds)
        else:
            try:
                self._coordinator.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
        return self.code()

    def kill(self) -> None:
        if self._forked:
            self._forked.kill()
            self._forked.join()
        else:
            self._coordinator.send_signal(signal.SIGKILL)
            self._coordinator.wait()


def until_a_new_checkpoint(trainer: Trainer, study: Path) -> None:
    before = checkpoints(study)
    while trainer.code() is None and not checkpoints(study) - before:
        time.sleep(0.005)


def broken(study: Path, draw: random.Random) -> Counter[str]:
    """Carry a study out with a few kills; how many there were, and how many of them with a checkpoint in mid-run."""
    counts, workers = Counter(), 2 if draw.random() < 0.1 else 1
    for _ in range(draw.randrange(2, 6)):
        trainer = Trainer(study, workers=workers)
        if draw.random() < 0.7:
            until_a_new_checkpoint(trainer, study)
            time.sleep(0.1 * draw.random())
        else:
            trainer.wait(8 * draw.random())
        if trainer.code() is None:
            trainer.kill()
            counts["kills"] += 1
            counts["in mid-run"] += bool(checkpoints(study))
    trainer = Trainer(study, workers=workers)
    assert trainer.wait(600) == 0
    return counts


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Iterator[Callable[[int], dict[str, bytes]]]:
    """The evidence of the unbroken study of each kind."""
    known: dict[int, dict[str, bytes]] = {}

    def of(kind: int) -> dict[str, bytes]:
        if kind not in known:
            study = write(tmp_path_factory.mktemp(f"unbroken{kind}"), kind=kind)
            assert Trainer(study, workers=1).wait(600) == 0
            known[kind] = evidence(study)
        return known[kind]

    yield of


def count(study: Path) -> tuple[int, int, int]:
    """How many proposals, runs of trials and runs of replicates there are."""
    records = Ledger(study.parent / "small").records.values()
    runs = [run for run in of_type(records, Run) if run.spec.loss]
    search = sum(run.spec.stage is Stage.SEARCH for run in runs)
    return len(list(of_type(records, Proposal))), search, len(runs) - search


def test_studies_that_are_killed_in_mid_run_are_the_unbroken_ones(unbroken, tmp_path):
    total = Counter()
    for number in range(FIRST, FIRST + COUNT):
        kind = number % len(KINDS)
        study = write(tmp_path / str(number), kind=kind)
        total += broken(study, random.Random(number))
        expected = unbroken(kind)
        found = evidence(study)
        assert sorted(found) == sorted(expected)
        assert [name for name in found if found[name] != expected[name]] == [], number
        assert count(study) == (LOSSES * TRIALS, LOSSES * TRIALS * FOLDS, LOSSES * REPLICATES * (FOLDS + 1))
        total["studies"] += 1
        done, kills = total["studies"], total["kills"]
        shutil.rmtree(tmp_path / str(number))
        says = f"{done} studies, {kills} kills, {total['in mid-run']} of them with a checkpoint in mid-run, 0 differ"
        record(f"killed studies, from number {FIRST}", says)
