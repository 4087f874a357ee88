"""How long the jobs of a study take: from its finished jobs, else from those of an earlier study, else as measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from realitycheck.plan.cost import START_SECONDS, Calibration, run_seconds
from realitycheck.plan.job_graph import JobGraph, JobSeconds
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Record, Run, Score
from realitycheck.verbs.folders import evidence_folder

ASK_SECONDS = 0.2
"""One proposal of the Gaussian process: 0.11 to 0.37 s in docs/searches.md."""

KINDS = ("proposal", "fold", "complete", "fold_score", "complete_score")
"""The fields of `JobSeconds`."""

Key = tuple[str, str, str]
"""Dataset, label of the loss, kind of job."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the notes say of finished jobs.

    Args:
        seconds: dataset, label, kind → how long each job took.
    """

    seconds: Mapping[Key, list[float]] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """How many jobs there are."""
        return sum(map(len, self.seconds.values()))

    def mean(self, dataset: str, label: str, kind: str) -> float | None:
        """The mean of one kind of job: of this loss, else of all losses on the dataset; None without any."""
        own = self.seconds.get((dataset, label, kind))
        others = (its for key, its in self.seconds.items() if (key[0], key[2]) == (dataset, kind))
        known = own or [seconds for its in others for seconds in its]
        return math.fsum(known) / len(known) if known else None


def observed(study: ReadStudy | Path | str) -> Observed:
    """How long the finished jobs of a study took, by its notes; copied records have none.

    Raises:
        LedgerError: the ledger is damaged.
    """
    ledger, seconds = Ledger(evidence_folder(study)), defaultdict[Key, list[float]](list)
    for note in ledger.notes(kinds=("done",)):
        record = ledger.records.get(str(note.get("id")))
        if note["kind"] == "done" and record is not None and isinstance(note.get("seconds"), int | float):
            for key in _keys(record, ledger.records):
                seconds[key].append(float(note["seconds"]))
    return Observed(seconds)


def _keys(record: Record, records: Mapping[str, Record]) -> Iterator[Key]:
    """What a record says of the length of jobs; untrained models and their scores are left out."""
    if isinstance(record, Proposal):
        yield record.dataset, record.loss, "proposal"
    elif isinstance(record, Run) and record.spec.loss:
        kind = "complete" if record.spec.fold is None else "fold"
        yield record.spec.dataset, record.spec.loss["label"], kind
    elif isinstance(record, Score):
        run = records.get(record.spec.models[0])
        if isinstance(run, Run) and run.spec.loss:
            kind = "complete_score" if run.spec.fold is None else "fold_score"
            yield run.spec.dataset, run.spec.loss["label"], kind


def stated(protocol: Protocol, measured: Calibration) -> JobSeconds:
    """How long jobs take by a calibration, if every run reaches its cap."""
    longest = run_seconds(protocol, measured)
    return JobSeconds(
        proposal=START_SECONDS + ASK_SECONDS,
        fold=longest.fold,
        complete=longest.complete,
        fold_score=START_SECONDS + measured.fold_score,
        complete_score=START_SECONDS + measured.complete_score,
    )


@dataclass(frozen=True, slots=True)
class PlannedJobs:
    """The jobs of a study, and where their lengths come from.

    Args:
        graph: the jobs.
        own: how many finished jobs of the study say how long jobs take.
        pilot: how many of the earlier study do.
        measured: whether some lengths are those of runs that reach their caps, by the calibration.
    """

    graph: JobGraph
    own: int
    pilot: int
    measured: bool


def planned_jobs(
    read: ReadStudy, measured: Mapping[str, Mapping[str, Calibration]], *, pilot: Path | str | None
) -> PlannedJobs:
    """Return the jobs of a study with their lengths.

    Args:
        read: the study.
        measured: the calibration, by dataset and label.
        pilot: an earlier study on the same datasets; it counts where this one has no finished job of a kind.
    """
    sources = [observed(read), observed(pilot) if pilot else Observed()]
    graph, guessed = JobGraph(), False
    for dataset, losses in measured.items():
        protocol, seconds = read.study.protocol_on(dataset), {}
        for label, calibration in losses.items():
            known = {kind: _known(sources, dataset, label, kind) for kind in KINDS}
            capped = stated(protocol, calibration)
            lengths = {kind: getattr(capped, kind) if mean is None else mean for kind, mean in known.items()}
            guessed = guessed or None in known.values()
            seconds[label] = JobSeconds(**lengths)
        graph.add_dataset(dataset, protocol, seconds, default_rows=read.study.default_rows)
    return PlannedJobs(graph, own=sources[0].jobs, pilot=sources[1].jobs, measured=guessed)


def _known(sources: list[Observed], dataset: str, label: str, kind: str) -> float | None:
    means = (source.mean(dataset, label, kind) for source in sources)
    return next((mean for mean in means if mean is not None), None)
