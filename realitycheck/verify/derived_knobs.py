"""Courses of the distance to the own class vector, and scores against one hyper-parameter."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.verify.derived_course import DerivedRow, DerivedSweep
from realitycheck.verify.derived_evaluations import summary
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.digests import Json
from realitycheck.verify.formulas import known, mean

BESIDE = ("precision_at_1", "nmi")
"""The scores beside the distance, where they are measured."""

ABLATION = "softmax_ablation"


def proxy_distances(scores: DerivedScores) -> Json | None:
    """The course of every loss with one learned vector per class; None where no run has any."""
    courses = [_course(scores, row) for row in scores.course.losses if _has_vectors(row)]
    return {"courses": courses} if any(one["means"] for one in courses) else None


def _every_run(row: DerivedRow) -> list[Json]:
    return [run for search in row.searches for run in (*search.search_runs(), *search.final_runs())]


def _has_vectors(row: DerivedRow) -> bool:
    return any(point["proxy_distance"] is not None for run in _every_run(row) for point in run["training"])


def _course(scores: DerivedScores, row: DerivedRow) -> Json:
    folds = [run for one in row.replicates for run in one.folds if run is not None]
    lines = [_line(run) for run in folds if _line(run)]
    iterations, means = _mean_line(lines)
    category, every = scores.declared.primary[0], _every_run(row)
    beside = {}
    for metric in BESIDE:
        if metric in scores.declared.metrics:
            values = known(scores.values(row, (category, metric)))
            beside[metric] = mean(values) if values else None
    return {
        "label": row.label,
        "functions": _functions(scores, row.label),
        "distance": row.distance,
        "iterations": iterations,
        "means": means,
        "end": mean([line[max(line)] for line in lines]) if lines else None,
        "scores": beside,
        "diverged": sum(run["outcome"] == "diverged" for run in every),
        "runs": len(every),
    }


def _line(run: Json) -> dict[int, float]:
    points = {point["iteration"]: point["proxy_distance"] for point in run["training"]}
    return {at: value for at, value in points.items() if value is not None}


def _mean_line(lines: Sequence[dict[int, float]]) -> tuple[list[int], list[float]]:
    """The mean of the runs that are still training, while these are at least half."""
    kept, means = [], []
    for at in sorted({at for line in lines for at in line}):
        values = [line[at] for line in lines if at in line]
        if len(values) >= len(lines) / 2:
            kept.append(at)
            means.append(mean(values))
    return kept, means


def _functions(scores: DerivedScores, label: str) -> list[str]:
    """Those of the own distance and of the others, where the loss is the one whose functions a study names."""
    if scores.declared.loss(label)["address"] != ABLATION:
        return []
    space = scores.declared.space(label)
    return [space[name] for name in ("own", "other") if isinstance(space.get(name), str)]


def sweeps(scores: DerivedScores) -> Json | None:
    """The sweeps that have a score; None where none has."""
    swept = scores.course.sweeps
    knobs = [
        own for own in (_swept(scores, one) for one in swept) if any(one["scores"]["values"] for one in own["values"])
    ]
    seeds = [len(models) for one in swept for _, models in one.points]
    return {"seeds": max(seeds), "tested": scores.course.tested, "knobs": knobs} if knobs else None


def _swept(scores: DerivedScores, one: DerivedSweep) -> Json:
    bounds = scores.declared.space(one.label)[one.knob]
    ((kind, ends),) = bounds.items() if isinstance(bounds, dict) else (("", None),)
    values = []
    place, distance = scores.declared.primary, scores.course.row(one.label).distance
    for value, seeds in one.points:
        there = known([model.value for model in seeds])
        own = {"value": value, "scores": summary(there, scores.level), "without": len(seeds) - len(there)}
        tests = known([model.score(*place, distance, "clean") for model in seeds])
        values.append({**own, "test": summary(tests, scores.level) if scores.course.tested else None})
    head = {"label": one.label, "knob": one.knob, "chosen": one.chosen}
    return {**head, "range": ends and list(ends), "log": kind.startswith("log"), "values": values}
