"""The models of a replicate: its fold runs, what decides the length of its complete run, and its scores."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.plan.searches import SearchPlan
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.evidence import Records
from realitycheck.records.schema import Run
from realitycheck.runs import RunSpec, ScoreSpec


def lengths_basis(search: SearchPlan, folds: Sequence[tuple[Run | None, ...]], place: int) -> tuple[Run, ...] | None:
    """The fold runs that decide a complete run's lengths, or None while one of them is still missing.

    Args:
        search: the search that chose the setting.
        folds: the fold runs of its replicates, in order.
        place: the position of the replicate among them.
    """
    pooled = search.protocol.final.complete == "appendix_d"
    deciding = [run for runs in folds for run in runs] if pooled else list(folds[place])
    known = tuple(run for run in deciding if run is not None)
    return known if len(known) == len(deciding) else None


def score_spec(plan: DatasetPlan, runs: Sequence[Run | None], evaluation: str) -> ScoreSpec | None:
    """The score of some runs together, or None if one is missing or diverged."""
    models = [run.id for run in runs if run is not None and not run.diverged]
    return plan.score(models, evaluation=evaluation) if len(models) == len(runs) else None


def runs_of(specs: Sequence[RunSpec], records: Records) -> tuple[Run | None, ...]:
    """The records of some runs, None where one is missing."""
    return tuple(run_of(spec.id, records) for spec in specs)


def run_of(run_id: str, records: Records) -> Run | None:
    """The record of a run, or None."""
    record = records.get(run_id)
    return record if isinstance(record, Run) else None
