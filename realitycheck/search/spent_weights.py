"""The weights that nothing needs after a record."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.plan.searches import constant_evaluations, trained_evaluations
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.evidence import Records
from realitycheck.records.nearest_images import NeighborLists
from realitycheck.records.schema import Run, Score
from realitycheck.runs import CLEAN


def spent_weights(plan: DatasetPlan, record: Score | NeighborLists, records: Records) -> tuple[str, ...]:
    """The runs of a score or of a list of neighbours whose weights no later score needs: all are recorded."""
    models, evaluation = record.spec.models, record.spec.evaluation if isinstance(record, Score) else CLEAN
    if any(isinstance(run := records[model], Run) and run.spec.loss for model in models):
        return models if _scored(plan, models, trained_evaluations(plan.protocol), records) else ()
    constant, one = constant_evaluations(plan.protocol), plan.constant_run
    if evaluation in constant:
        folds = [spec.id for spec in plan.untrained.searches[0].replicate_runs(index=0, knobs={})]
        own = folds if plan.protocol.scores_folds else []
    else:
        own = list(models)
    every = plan.untrained.searches[0].evaluations
    if own and not _scored(plan, own, every, records):
        return ()
    waits = not _scored(plan, [one.id], sorted(constant), records)
    return tuple(model for model in models if not (waits and model == one.id))


def _scored(plan: DatasetPlan, models: Sequence[str], evaluations: Sequence[str], records: Records) -> bool:
    specs = [plan.score(models, evaluation=evaluation) for evaluation in evaluations]
    return all(spec is not None and spec.id in records for spec in specs)
