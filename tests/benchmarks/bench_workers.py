"""The predicted wall time of N workers: compared with studies that were carried out, and its curve to 1,000 workers.

    python tests/benchmarks/bench_workers.py run --work FOLDER
    python tests/benchmarks/bench_workers.py report

`run` carries studies/demo.yaml out with one worker, two and four, training for real. Then the real campaign carries the
same study out with 1, 2, 4 and 8 workers whose jobs sleep for times drawn by their ids: where workers that train
outnumber the cores, they slow each other down. Both are written to docs/measured/workers.json.
`report` computes the curve, and writes the rest of the JSON, the tables of docs/scaling.md and the figure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import standins  # noqa: E402

from realitycheck import verbs  # noqa: E402
from realitycheck.executors.base import Executor, Finished, Job  # noqa: E402
from realitycheck.plan.job_graph import JobGraph, JobSeconds  # noqa: E402
from realitycheck.plan.wall_time import wall_time  # noqa: E402
from realitycheck.protocol.read import ReadStudy  # noqa: E402
from realitycheck.records.ledger import Ledger  # noqa: E402
from realitycheck.verbs.durations import KINDS, Observed, observed  # noqa: E402
from realitycheck.verbs.folders import evidence_folder  # noqa: E402

OUT = ROOT / "docs" / "measured" / "workers.json"
WAYS = {
    **{f"training-{workers}": ("training", workers) for workers in (1, 2, 4)},
    **{f"sleeping-{workers}": ("sleeping", workers) for workers in (1, 2, 4, 8)},
}
"""What is compared: name → whether jobs train or sleep, and on how many workers."""

LENGTHS = {"proposal": 0.2, "run": 1.5, "score": 0.5, "neighbors": 0.5}
"""Seconds that jobs sleep on average, by their kind."""

CHANCE = standins.chance
standins.time = SimpleNamespace(sleep=lambda seconds: None)  # type: ignore[assignment]
standins.chance = lambda *names: 1.0 if names[0] == "diverged" else CHANCE(*names)
"""Stand-ins answer at once, and no run diverges, so that the study has every job."""


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "report"))
    parser.add_argument("--work", type=Path, help="folder of the studies, outside the checkout")
    parser.add_argument("--only", choices=WAYS, help="one of the ways alone")
    parser.add_argument("--out", type=Path, default=OUT, help="file of the numbers")
    given = parser.parse_args()
    if given.command == "report":
        from worker_curve import write_all

        write_all(given.out)
    elif given.work is None:
        parser.error("--work is required")
    else:
        compare(given.work, given.out, [given.only] if given.only else list(WAYS))


def compare(work: Path, out: Path, ways: Sequence[str]) -> None:
    """Carry the study out in some ways, and write what each took beside its prediction."""
    for way in ways:
        how, workers = WAYS[way]
        read = trained(work, workers) if how == "training" else slept(work, workers)
        found = row(read, workers, how)
        print(found, flush=True)
        known = json.loads(out.read_text()) if out.exists() else {}
        rows = {(one["how"], one["workers"]): one for one in [*known.get("compared", []), found]}
        compared = sorted(rows.values(), key=lambda one: (one["how"] != "training", one["workers"]))
        out.write_text(json.dumps({**known, "compared": compared}, indent=1) + "\n")


def copy_of(work: Path, name: str) -> Path:
    """A copy of the demonstration study, with its protocol and ranges."""
    home = work / name
    if not home.exists():
        shutil.copytree(ROOT / "protocols", home / "protocols")
        (home / "studies").mkdir()
        shutil.copy(ROOT / "studies" / "demo.yaml", home / "studies")
    return home / "studies" / "demo.yaml"


def trained(work: Path, workers: int) -> ReadStudy:
    """The study, carried out by child processes of this machine."""
    read = verbs.load_study(copy_of(work, f"training-{workers}"))
    result = verbs.run_study(read, workers=workers, checkpoint_seconds=None)
    assert not result.left and not result.alarms
    return read


def slept(work: Path, workers: int) -> ReadStudy:
    """The study, carried out by jobs that sleep and answer as stand-ins do."""
    read = verbs.load_study(copy_of(work, f"sleeping-{workers}"))
    verbs.carry_out(
        read,
        executor=Sleeping(evidence_folder(read) / "cache", workers=workers),
        device="cpu",
        reuse=(),
        watch=lambda standings, running: None,
        verbs=dict.fromkeys(("proposal", "selection", "run", "score", "neighbors"), ""),
    )
    return read


class Sleeping(Executor):
    """Answers each job after a time that is drawn by its id: half to one and a half times that of its kind."""

    def __init__(self, cache: Path, *, workers: int) -> None:
        self.cache, self.workers = cache, workers
        self.running: list[tuple[float, float, Job]] = []

    @property
    def free(self) -> int:
        """How many more jobs it would start."""
        return self.workers - len(self.running)

    def submit(self, job: Job, *, address: str) -> None:
        """Note when the job ends."""
        now = time.monotonic()
        self.running.append((now + length_of(job), now, job))

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """Sleep until a job ends."""
        end = min(end for end, _, _ in self.running)
        time.sleep(max(0.0, min(end - time.monotonic(), seconds)))
        now = time.monotonic()
        ended = [(begin, job) for end, begin, job in self.running if end <= now]
        self.running = [entry for entry in self.running if entry[0] > now]
        return [Finished(job, standins.answer(job, self.cache), None, now - begin) for begin, job in ended]

    def close(self) -> None:
        """Forget what runs."""
        self.running.clear()


def length_of(job: Job) -> float:
    """How long a job sleeps; untrained models are made as quickly as proposals."""
    trained = job.kind != "run" or job.payload["spec"]["loss"] is not None
    return LENGTHS[job.kind if trained else "proposal"] * (0.5 + CHANCE("length", job.id))


def row(read: ReadStudy, workers: int, how: str) -> dict[str, Any]:
    """What a study took, and what is predicted from the mean lengths of its own jobs."""
    notes = [note for note in Ledger(evidence_folder(read)).notes() if note["kind"] == "done"]
    ends = [datetime.fromisoformat(note["time"]).astimezone(UTC).timestamp() for note in notes]
    begin = min(end - note["seconds"] for end, note in zip(ends, notes, strict=True))
    took, predicted = max(ends) - begin, wall_time(graph_of(read, observed(read)).nodes, workers=workers).seconds
    return {
        "how": how,
        "workers": workers,
        "jobs": len(notes),
        "seconds": round(took, 1),
        "predicted": round(predicted, 1),
        "difference": round(100 * (predicted / took - 1), 1),
    }


def graph_of(read: ReadStudy, seen: Observed) -> JobGraph:
    """The jobs of a finished study, as long as they were on average."""
    graph = JobGraph()
    for dataset in read.study.datasets:
        losses = {
            loss.label: JobSeconds(**{kind: seen.mean(dataset.name, loss.label, kind) or 0.0 for kind in KINDS})
            for loss in read.study.losses
        }
        graph.add_dataset(dataset.name, read.study.protocol_on(dataset.name), losses)
    return graph


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
