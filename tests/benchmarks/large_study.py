"""A study of tens of thousands of records, carried out with answers of the right form and size in place of training."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import standins  # noqa: E402
from small_study import PROTOCOL, write_study  # noqa: E402
from standins import answer, chance  # noqa: E402

from realitycheck import verbs  # noqa: E402
from realitycheck.canonical import canonical_json, digest  # noqa: E402
from realitycheck.executors.base import Executor, Finished, Job  # noqa: E402
from realitycheck.protocol.read import read_study  # noqa: E402
from realitycheck.records.envelopes import envelope  # noqa: E402
from realitycheck.records.from_json import read_record  # noqa: E402
from realitycheck.search.agenda import Agenda  # noqa: E402
from realitycheck.verbs.study import plans_of  # noqa: E402

standins.time = SimpleNamespace(sleep=lambda seconds: None)  # type: ignore[assignment]
"""Answers come at once."""

FOLDS, TRIALS, SEARCHES, SEEDS, NEAR = 4, 50, 2, 10, 4
"""The budget of Musgrave et al. (2020), with two searches and four runners-up each."""

RECORDS_PER_LOSS = SEARCHES * (TRIALS * (1 + FOLDS) + 3 * NEAR + 1) + SEEDS * (FOLDS + 1) + 2 * SEEDS
"""Proposals and trials, runners-up and their scores, replicates and their scores, at most."""

VALIDATIONS, CLASSES = 14, 100
"""Points of a curve as in the study of groceries, 4.7 kB a run; test classes as on CUB-200-2011."""


def large_study(home: Path, *, records: int) -> Path:
    """Write a study that ends with about this number of records; the path of its file."""
    losses = -(-records // RECORDS_PER_LOSS)
    protocol = (
        PROTOCOL.replace("count: 2", f"count: {FOLDS}")
        .replace("trials: 3, startup_trials: 2", f"searches: {SEARCHES}, trials: {TRIALS}, startup_trials: 10")
        .replace("round: 1", "round: 2")
        .replace("seeds: 2,", f"seeds: {SEEDS},")
        .replace("method: student_t, level: 0.95", f"method: searches_calibrated, level: 0.95, runners_up: {NEAR}")
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


@dataclass(frozen=True, slots=True)
class Mark:
    """The coordinator's time so far when a job is answered: seconds by the clock, and of the processor."""

    wall: float
    cpu: float


class Answering(Executor):
    """Answers every job at once, and stops the study after `limit` of them; its own time is not the coordinator's.

    Attributes:
        marks: one for each answer.
    """

    def __init__(self, cache: Path, *, workers: int, limit: int) -> None:
        self.cache, self.workers, self.limit = cache, workers, limit
        self.marks: list[Mark] = []
        self._waiting: deque[Job] = deque()
        self._begin, self._own = _now(), Mark(0.0, 0.0)

    @property
    def free(self) -> int:
        """How many more jobs it would start."""
        return self.workers - len(self._waiting)

    def submit(self, job: Job, *, address: str) -> None:
        """Keep the job until it is waited for."""
        self._waiting.append(job)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """Answer the oldest job.

        Raises:
            Enough: that many jobs were answered.
        """
        begin = _now()
        if len(self.marks) == self.limit:
            raise Enough
        job = self._waiting.popleft()
        body = json.loads(json.dumps(long_answer(job, self.cache)))
        end = _now()
        self._own = Mark(self._own.wall + end.wall - begin.wall, self._own.cpu + end.cpu - begin.cpu)
        spent = Mark(end.wall - self._begin.wall - self._own.wall, end.cpu - self._begin.cpu - self._own.cpu)
        self.marks.append(spent)
        return [Finished(job, body, None, 0.0)]

    def close(self) -> None:
        """Forget what was not answered."""
        self._waiting.clear()


class Enough(Exception):
    """A study that is stopped on purpose."""


def _now() -> Mark:
    return Mark(time.perf_counter(), time.process_time())


def carry_on(study: Path, *, workers: int, jobs: int) -> list[Mark]:
    """Carry this many more jobs of a study out; the coordinator's marks."""
    executor = Answering(study.parent / study.stem / "cache", workers=workers, limit=jobs)
    with suppress(Enough):
        verbs.carry_out(
            read_study(study),
            executor=executor,
            device="cpu",
            reuse=(),
            watch=lambda standings, running: None,
            verbs=dict.fromkeys(("proposal", "selection", "run", "score"), ""),
        )
    return executor.marks


def fill(study: Path, *, records: int) -> int:
    """Write the first `records` records of a study, in the order of one worker, each with its note; how many there are.

    Nothing is forced to the disk, so this takes a tenth of the time of a campaign.
    """
    read = read_study(study)
    folder = study.parent / study.stem
    agenda = Agenda(plans_of(read, verbs.prepare_data(read)), (), ())
    while len(agenda.records) < records and (job := next(agenda.ready(), None)):
        record = read_record(json.loads(json.dumps(long_answer(job, folder / "cache"))))
        _write(folder / "ledger" / record.kind / f"{record.id}.json", envelope(record.to_json()))
        _write_note(folder, job, number=len(agenda.records))
        agenda.accept(job, record, weights_stored=True)
    return len(agenda.records)


def _write_note(folder: Path, job: Job, *, number: int) -> None:
    time_of_day = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000+00:00"
    head = {"kind": "done", "time": time_of_day, "host": "stand-in", "id": job.id, "title": job.title}
    text = canonical_json({**head, "seconds": 100.0, "machine": "AMD EPYC Processor, x86-avx2, torch 2.15.0"})
    _write(folder / "attempts" / f"done-{digest(text)[:16]}.json", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
