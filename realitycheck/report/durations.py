"""Wall time by loss and kind of job: from the attempts, which are no evidence, so on the provenance page alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.records.evidence import DatasetEvidence, LossEvidence
from realitycheck.runs import Body

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
    return (
        list(loss.proposals),
        _ids_of(run for runs in loss.trial_runs for run in runs),
        _ids_of(run for each in loss.replicates for run in each.fold_runs),
        _ids_of(each.complete_run for each in loss.replicates),
        _ids_of(each.fold_score for each in loss.replicates),
        _ids_of(each.complete_score for each in loss.replicates),
    )


def _ids_of(bodies: Iterable[Body | None]) -> list[str]:
    return [body["id"] for body in bodies if body]
