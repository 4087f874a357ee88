"""Wall time by loss and kind of job: from the attempts, which are no evidence, so on the provenance page alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.records.evidence import DatasetEvidence, LossEvidence
from realitycheck.records.schema import Run, Score, proposal_id
from realitycheck.runs import CLEAN, Stage

KINDS = ("proposal", "search fold run", "final fold run", "complete run", "score of fold models", "score of complete")
"""The kinds of jobs, in the order of a study."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the jobs of one loss took on one dataset: the median of each of `KINDS` in seconds, or None."""

    dataset: str
    label: str
    medians: tuple[float | None, ...]
    jobs: int


def durations(evidence: Sequence[DatasetEvidence], attempts: Iterable[Mapping[str, Any]]) -> list[Durations]:
    """One for each dataset and loss of which a finished attempt is noted."""
    seconds: dict[str, list[float]] = {}
    for attempt in attempts:
        if attempt.get("kind") == "done" and isinstance(attempt.get("seconds"), int | float):
            seconds.setdefault(str(attempt.get("id")), []).append(attempt["seconds"])
    found = [_of_loss(each.dataset, loss, seconds) for each in evidence for loss in each.losses]
    return [each for each in found if each.jobs]


def _of_loss(dataset: str, loss: LossEvidence, seconds: Mapping[str, Sequence[float]]) -> Durations:
    spent = [[each for id in ids for each in seconds.get(id, ())] for ids in _ids(loss)]
    medians = tuple(statistics.median(each) if each else None for each in spent)
    return Durations(dataset, loss.label, medians, sum(map(len, spent)))


def _ids(loss: LossEvidence) -> tuple[list[str], ...]:
    """Ids of records by `KINDS`."""
    scores = [replicate.scores[CLEAN] for replicate in loss.replicates if CLEAN in replicate.scores]
    return (
        [proposal_id(search.id, trial.slot) for search in loss.searches for trial in search.trials],
        _ids_of(loss.runs(Stage.SEARCH)),
        _ids_of(run for replicate in loss.replicates for run in replicate.fold_runs),
        _ids_of(replicate.complete_run for replicate in loss.replicates),
        _ids_of(score.folds for score in scores),
        _ids_of(score.complete for score in scores),
    )


def _ids_of(records: Iterable[Run | Score | None]) -> list[str]:
    return [record.id for record in records if record]
