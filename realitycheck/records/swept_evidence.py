"""The sweeps of a loss as the records have them: validation scores, and test scores where the opening declares them."""

from __future__ import annotations

from itertools import groupby

from realitycheck.plan.searches import SearchPlan
from realitycheck.plan.specs import DatasetPlan
from realitycheck.plan.sweeps import PlannedPoint, planned_points, swept_trainings
from realitycheck.records.evidence import EvaluationScores, Records, Replicate, SearchEvidence
from realitycheck.records.replicate_models import lengths_basis, run_of, runs_of, score_spec
from realitycheck.records.schema import Opening, Score
from realitycheck.records.swept import SweptKnob, SweptPoint
from realitycheck.runs import CLEAN, Category, RunSpec


def scores_sweep(plan: DatasetPlan, records: Records) -> bool:
    """Whether swept models are scored: the study asks for it, and the opening, if there is one, declares the same."""
    wanted, opening = plan.claims.get("sweep"), records.get(plan.opening_id)
    return wanted is not None and (not isinstance(opening, Opening) or opening.claims.get("sweep") == wanted)


def swept_models(
    plan: DatasetPlan, search: SearchPlan, point: PlannedPoint, place: int, records: Records
) -> tuple[RunSpec, ...]:
    """The runs that the primary category of a point needs under one seed; none while their lengths are not known.

    Args:
        plan: the study on a dataset.
        search: the search that chose the setting.
        point: a value other than the chosen one.
        place: the number of the seed among those of the sweep.
        records: every record by id.
    """
    if plan.study.primary.category is not Category.COMPLETE:
        return point.runs[place]
    folds = [runs_of(specs, records) for specs in point.runs]
    basis = lengths_basis(search, folds, place)
    index = point.runs[place][0].index
    spec = search.complete_run(index=index, knobs=point.complete_knobs, fold_runs=basis) if basis else None
    return (spec,) if spec else ()


def sweeps_of(
    plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, records: Records
) -> tuple[SweptKnob, ...]:
    """The sweeps of a loss, from the setting that its first search chose; none before that."""
    if evidence.chosen is None:
        return ()
    chosen, tested = evidence.chosen, scores_sweep(plan, records)
    swept = []
    for knob, own in groupby(
        planned_points(plan.study, search, knobs=chosen.knobs, unit=chosen.unit), key=lambda point: point.knob
    ):
        value, points = chosen.knobs[knob], []
        assert not isinstance(value, str)
        for point in own:
            there = evidence.replicates[: len(point.runs)] if point.value == value else None
            replicates = there or tuple(
                _replicate(plan, search, point, place, records, tested=tested) for place in range(len(point.runs))
            )
            points.append(SweptPoint(point.value, replicates, tested=tested))
        swept.append(SweptKnob(search.label, knob, value, tuple(points)))
    return tuple(swept)


def swept_runs(plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, records: Records) -> tuple[int, int]:
    """Runs of the sweeps of a loss that are recorded, and how many there are at most; those of its replicates left out.

    Args:
        plan: the study on a dataset.
        search: the first search of the loss.
        evidence: of this search.
        records: every record by id.
    """
    wanted = sum(swept_trainings(plan.study, search.label, plan.protocol))
    if not wanted or evidence.chosen is None:
        return 0, wanted
    chosen, tested = evidence.chosen, scores_sweep(plan, records)
    points = [
        point
        for point in planned_points(plan.study, search, knobs=chosen.knobs, unit=chosen.unit)
        if point.value != chosen.knobs[point.knob]
    ]
    ids = {spec.id for point in points for specs in point.runs for spec in specs}
    if tested:
        places = [(point, place) for point in points for place in range(len(point.runs))]
        ids |= {spec.id for point, place in places for spec in swept_models(plan, search, point, place, records)}
    return sum(one in records for one in ids), wanted


def _replicate(
    plan: DatasetPlan, search: SearchPlan, point: PlannedPoint, place: int, records: Records, *, tested: bool
) -> Replicate:
    """A point under one seed, with its score on the test half where it is tested."""
    models = swept_models(plan, search, point, place, records) if tested else ()
    runs = runs_of(models, records)
    spec = score_spec(plan, runs, CLEAN) if runs else None
    record = records.get(spec.id) if spec else None
    score = record if isinstance(record, Score) else None
    complete = plan.study.primary.category is Category.COMPLETE
    return Replicate(
        index=point.runs[place][0].index,
        search=search.number,
        fold_runs=runs_of(point.runs[place], records),
        complete_run=run_of(models[0].id, records) if complete and models else None,
        scores={CLEAN: EvaluationScores(None, score) if complete else EvaluationScores(score, None)},
    )
