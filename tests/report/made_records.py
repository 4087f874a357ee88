"""Records that no training made, as values."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from realitycheck.records.curves import Best, CurvePoint, Images, PhaseEnd
from realitycheck.records.evidence import EvaluationScores, LossEvidence, Replicate
from realitycheck.records.schema import DistanceScores, Run, Score
from realitycheck.runs import CLEAN, Outcome, RunSpec, ScoreSpec, Stage

CLASSES = 6


def make_spec(name: str) -> RunSpec:
    """A spec whose id is one of this name alone."""
    return RunSpec(
        results_version=1,
        data=name,
        dataset="cub200",
        stage=Stage.FINAL,
        index=0,
        search=0,
        fold=0,
        folds={"count": 4, "kind": "blocks", "seed": 0},
        loss=None,
        knobs={},
        recipe={},
        batch={"classes": 8, "per_class": 4},
        dims=128,
        phases=(),
        root=0,
        sources={},
    )


def make_run(name: str, value: float, *, iterations: Collection[int], rng: np.random.Generator) -> Run:
    """A completed fold run whose curve climbs to `value` and stops in the second half of `iterations`."""
    points = list(iterations)
    stop = int(rng.integers(len(points) // 2 + 1, len(points) + 1)) if points else 0

    def height(at: int) -> float:
        return value - 0.12 * math.exp(-3 * at / points[-1]) + 0.12 * math.exp(-3 * points[stop - 1] / points[-1])

    curve = tuple(CurvePoint(at, "normal" if at else None, metrics(height(at))) for at in points[:stop])
    best = Best(curve[-1].iteration, "normal", {**curve[-1].scores, "map_at_r": value}) if curve else None
    phases = (make_phase(curve[-1].iteration, cap=max(points)),) if curve else ()
    return make_ended(name, *phases, best=best, curve=curve)


def make_ended(name: str, *phases: PhaseEnd, best: Best | None = None, curve: tuple[CurvePoint, ...] = ()) -> Run:
    """A completed fold run that went through these phases."""
    return Run(make_spec(name), Outcome.COMPLETED, None, best, curve, phases, Images(train=90, val=30), "w" * 64, ())


def make_phase(iterations: int, *, cap: int, best: int | None = None, name: str = "normal") -> PhaseEnd:
    """A phase of a fold run; its best came at its end if not said otherwise."""
    stop = "cap" if iterations == cap else "patience"
    return PhaseEnd(name, iterations, iterations if best is None else best, stop)


def make_complete_run(name: str, *, length: int) -> Run:
    phase = PhaseEnd("normal", length, length, "length")
    return Run(make_spec(name), Outcome.COMPLETED, None, None, (), (phase,), Images(train=120, val=0), "w" * 64, ())


def make_diverged(cause: str) -> Run:
    """A run that left the numbers."""
    return Run(make_spec("lost"), Outcome.DIVERGED, cause, None, (), (), Images(train=90, val=30), None, ())


DIVERGED = make_diverged("loss is NaN")


def make_score(name: str, values: list[float], *, together: float | None) -> Score:
    """A score of models by themselves and, where there are several, together."""
    spec = ScoreSpec(results_version=1, test=name, models=("m",) * len(values), evaluation=CLEAN, scores=None)
    joined = None if together is None else distances(together)
    return Score(spec, tuple(distances(value) for value in values), joined, queries=120, singletons=3)


def distances(value: float) -> dict[str, DistanceScores]:
    """Scores under both distances; the Euclidean ones a little lower, so that a mix-up shows."""
    return {"cosine": scores(value), "euclidean": scores(value - 0.001)}


def scores(value: float) -> DistanceScores:
    return DistanceScores(metrics(value), (value,) * CLASSES)


def metrics(value: float) -> dict[str, float]:
    return {"map_at_r": value, "r_precision": value + 0.11, "precision_at_1": value + 0.42}


def with_search(loss: LossEvidence, *, number: int = 0, **changes: Any) -> LossEvidence:
    """The loss with one of its searches changed; without replicates it has no near-best settings."""
    changes = {"near_best": (), **changes} if changes.get("replicates") == () else changes
    searches = tuple(replace(search, **changes) if search.number == number else search for search in loss.searches)
    return replace(loss, searches=searches)


UNSEARCHED: dict[str, Any] = {"trials": (), "chosen": None, "replicates": ()}
"""What a search is before its first proposal."""


def with_scores(replicate: Replicate, **changes: Score | None) -> Replicate:
    """The replicate with `folds` or `complete` of its clean scores changed."""
    known = replicate.scores[CLEAN]
    return replace(replicate, scores={**replicate.scores, CLEAN: replace(known, **changes)})


def diverge(replicate: Replicate, *, fold: int) -> Replicate:
    """The replicate after one of its folds left the numbers."""
    folds = tuple(DIVERGED if i == fold else run for i, run in enumerate(replicate.fold_runs))
    return with_scores(replace(replicate, fold_runs=folds), folds=None)


def unscored(replicate: Replicate) -> Replicate:
    """The replicate before its scores."""
    return replace(replicate, scores={name: EvaluationScores(None, None) for name in replicate.scores})


def together(loss: LossEvidence, metric: str = "map_at_r") -> list[float]:
    """The ensemble's scores of every replicate, in order, as the records hold them."""
    records = [replicate.scores[loss.evaluation].folds for replicate in loss.replicates]
    return [record.together[loss.distance].scores[metric] for record in records if record and record.together]
