"""Which lists of nearest neighbours a plan asks for, and those that are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from realitycheck.plan.searches import SearchPlan
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, Records, SearchEvidence
from realitycheck.records.nearest_images import NeighborLists, NeighborsSpec, Query, neighbors_spec
from realitycheck.records.schema import Opening, Run
from realitycheck.runs import CLEAN

Models = tuple[Sequence[Run | None], Run | None]
"""The fold runs and the complete run of a replicate; those that are not recorded are None."""


def with_neighbors(plan: DatasetPlan, row: LossEvidence, records: Records) -> LossEvidence:
    """A row with its nearest neighbours, where they are stored."""
    if row.evaluation != CLEAN or row.constant:
        return row
    spec = wanted_neighbors(plan, _models_of(row.searches[0]), row.distance, records)
    record = records.get(spec.id) if spec else None
    return replace(row, neighbors=record) if isinstance(record, NeighborLists) else row


def wanted_neighbors(
    plan: DatasetPlan, replicates: Sequence[Models], distance: str, records: Records
) -> NeighborsSpec | None:
    """The list of nearest neighbours of one row; None where its models are not known yet, and where none is wanted.

    The models are those of the first replicate without a diverged one: its complete model, or its fold models where the
    protocol has no complete ones.

    Args:
        plan: what the study asks for on the dataset.
        replicates: fold runs and complete run of each replicate of the row's first search, in order.
        distance: the one that the loss declares.
        records: every record by id; its opening holds the queries.
    """
    queries = _queries(plan, records)
    if not queries or plan.test is None:
        return None
    models, certain = _first_models(plan.protocol, replicates)
    return neighbors_spec(plan.test, models, distance, queries) if models and certain else None


def may_be_listed(plan: DatasetPlan, search: SearchEvidence, distance: str, records: Records) -> tuple[str, ...]:
    """The runs whose weights a list still needs, or needs if the models of an earlier replicate diverge.

    Args:
        plan: what the study asks for on the dataset.
        search: the first one of the row; parts that are not recorded are None.
        distance: the one that the loss declares.
        records: every record by id.
    """
    replicates = _models_of(search)
    spec = wanted_neighbors(plan, replicates, distance, records)
    if not _queries(plan, records) or (spec is not None and spec.id in records):
        return ()
    return _first_models(plan.protocol, replicates)[0]


def declared_distance(search: SearchPlan) -> str:
    """The distance that a loss declares; cosine for the untrained models."""
    return search.choice.distance if search.choice else "cosine"


def _models_of(search: SearchEvidence) -> list[Models]:
    return [(one.fold_runs, one.complete_run) for one in search.replicates]


def _queries(plan: DatasetPlan, records: Records) -> tuple[Query, ...]:
    """The test images of which neighbours are listed; none before the opening."""
    opening = records.get(plan.opening_id)
    return opening.queries if isinstance(opening, Opening) else ()


def _first_models(protocol: Protocol, replicates: Sequence[Models]) -> tuple[tuple[str, ...], bool]:
    """The models of the first replicate that has all of them, and whether none before it may get its own."""
    certain = True
    for folds, complete in replicates:
        runs = (complete,) if protocol.completes else folds
        models = tuple(run.id for run in runs if run is not None and not run.diverged)
        if len(models) == len(runs):
            return models, certain
        certain = certain and _without_models(protocol, folds, complete)
    return (), certain


def _without_models(protocol: Protocol, folds: Sequence[Run | None], complete: Run | None) -> bool:
    """Whether a replicate can have no complete model, or lacks a fold model where there are no complete ones."""
    diverged = [run is not None and run.diverged for run in folds]
    if not protocol.completes:
        return any(diverged)
    if complete is None:
        return protocol.final.complete == "per_replicate" and all(diverged)  # nothing gives its length
    return complete.diverged
