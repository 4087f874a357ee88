"""A study of tens of thousands of records, carried out with answers of the right form and size in place of training."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from small_study import PROTOCOL, write_study  # noqa: E402
from standins import answer, chance  # noqa: E402

from realitycheck.executors.base import Executor, Finished, Job  # noqa: E402

FOLDS, TRIALS, SEARCHES, SEEDS = 4, 50, 2, 10
"""The budget of Musgrave et al. (2020), with two searches."""

RECORDS_PER_LOSS = SEARCHES * TRIALS * (1 + FOLDS) + SEEDS * (FOLDS + 1) + 2 * SEEDS
"""Proposals and trials, replicates, and their scores; without runners-up."""

VALIDATIONS, CLASSES = 14, 100
"""Points of a curve as in the study of groceries, 4.7 kB a run; test classes as on CUB-200-2011."""


def large_study(home: Path, *, records: int, runners_up: int = 0) -> Path:
    """Write a study that ends with about this number of records; the path of its file."""
    losses = -(-records // RECORDS_PER_LOSS)
    near = f", runners_up: {runners_up}" if runners_up else ""
    protocol = (
        PROTOCOL.replace("count: 2", f"count: {FOLDS}")
        .replace("trials: 3, startup_trials: 2", f"searches: {SEARCHES}, trials: {TRIALS}, startup_trials: 10")
        .replace("round: 1", "round: 2")
        .replace("seeds: 2,", f"seeds: {SEEDS},")
        .replace("method: student_t, level: 0.95", f"method: searches_calibrated, level: 0.95{near}")
        .replace("classes: 4, per_class: 2", "classes: 2, per_class: 2")
    )
    lines = "".join(f"  loss_{number:02}: {{loss: contrastive}}\n" for number in range(losses))
    study = f"""
study: small
question: How long does the coordinator take?
protocol: tiny
datasets: {{pictures: {{dataset: folder, root: ../pictures}}}}
losses:
{lines}baseline: loss_00
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""
    return write_study(home, protocol=protocol, study=study)


def long_answer(job: Job, cache: Path) -> dict[str, Any]:
    """The body of a job's record, with curves and scores per class as long as those of a real one."""
    body = answer(job, cache)
    if job.kind == "run" and body["training"]:
        one, mean = body["curve"][0], body["training"][0]
        body["curve"] = [one, *(_moved(one, job.id, place) for place in range(1, VALIDATIONS))]
        body["training"] = [
            {**mean, "iteration": 10 * place, "loss": chance(job.id, "loss", place)} for place in range(1, VALIDATIONS)
        ]
    if job.kind == "score":
        for model in (*body["each"], *([body["together"]] if body["together"] else [])):
            for name, distance in model.items():
                distance["map_at_r_per_class"] = [chance(job.id, name, place) for place in range(CLASSES)]
    return body


def _moved(point: dict[str, Any], *names: object) -> dict[str, Any]:
    """A later point of a curve, below the selected one."""
    factor = chance(*names)
    scores = {name: value * factor for name, value in point.items() if isinstance(value, float)}
    return {**point, **scores, "iteration": 10 * int(names[-1]), "phase": "normal"}


class Answering(Executor):
    """Answers every job at once; its own time is not the coordinator's.

    Args:
        cache: the folder of weights.
        workers: jobs at a time.

    Attributes:
        seconds: spent here.
        marks: (jobs answered, time of the coordinator so far in seconds), one for each answer.
    """

    def __init__(self, cache: Path, *, workers: int) -> None:
        self.cache, self.workers = cache, workers
        self.seconds, self.start = 0.0, time.perf_counter()
        self.marks: list[tuple[int, float]] = []
        self._waiting: deque[Job] = deque()

    @property
    def free(self) -> int:
        return self.workers - len(self._waiting)

    def submit(self, job: Job, *, address: str) -> None:
        self._waiting.append(job)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        begin = time.perf_counter()
        job = self._waiting.popleft()
        body = json.loads(json.dumps(long_answer(job, self.cache)))
        end = time.perf_counter()
        self.seconds += end - begin
        self.marks.append((len(self.marks) + 1, end - self.start - self.seconds))
        return [Finished(job, body, None, 0.0)]

    def close(self) -> None:
        self._waiting.clear()


def carry_out(study: Path, *, workers: int) -> list[tuple[int, float]]:
    """Carry a study out; the marks of the coordinator's time."""
    import standins

    from realitycheck import verbs
    from realitycheck.protocol.read import read_study

    standins.time.sleep = lambda seconds: None  # type: ignore[attr-defined]
    executor = Answering(study.parent / study.stem / "cache", workers=workers)
    result = verbs.carry_out(
        read_study(study),
        executor=executor,
        device="cpu",
        reuse=(),
        watch=lambda standings, running: None,
        verbs=dict.fromkeys(("proposal", "selection", "run", "score"), ""),
    )
    assert not result.left and not result.alarms
    return executor.marks
