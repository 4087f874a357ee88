"""Records that no training made, in the ledger's formats."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from realitycheck.runs import METRICS, Replicate

CLASSES = 6


def make_run(name: str, value: float, *, iterations: Collection[int], rng: np.random.Generator) -> dict[str, Any]:
    """A completed fold run whose curve climbs to `value` and stops in the second half of `iterations`."""
    points = list(iterations)
    stop = int(rng.integers(len(points) // 2 + 1, len(points) + 1)) if points else 0
    curve = [
        {
            "iteration": at,
            "phase": "normal" if at else None,
            "loss": 1.0 if at else None,
            **metrics(
                value - 0.12 * math.exp(-3 * at / points[-1]) + 0.12 * math.exp(-3 * points[stop - 1] / points[-1])
            ),
        }
        for at in points[:stop]
    ]
    best = {key: curve[-1][key] for key in ("iteration", "phase", *METRICS)} if curve else None
    if best:
        best["map_at_r"] = value
    done = {"kind": "run", "id": name, "outcome": "completed", "cause": None, "best": best, "curve": curve}
    phases = [make_phase(curve[-1]["iteration"], cap=max(points))] if curve else []
    return done | {"phases": phases, "images": {"train": 90, "val": 30}}


def make_phase(iterations: int, *, cap: int, best: int | None = None, name: str = "normal") -> dict[str, Any]:
    """A phase of a fold run; its best came at its end if not said otherwise."""
    stop = "cap" if iterations == cap else "patience"
    return {
        "name": name,
        "iterations": iterations,
        "best_iteration": iterations if best is None else best,
        "stop": stop,
    }


def make_complete_run(name: str, *, length: int) -> dict[str, Any]:
    phase = {"name": "normal", "iterations": length, "best_iteration": length, "stop": "length"}
    done = {"kind": "run", "id": name, "outcome": "completed", "cause": None, "best": None, "curve": []}
    return done | {"phases": [phase], "images": {"train": 120, "val": 0}}


DIVERGED = {
    "kind": "run",
    "id": "lost",
    "outcome": "diverged",
    "cause": "loss is NaN",
    "best": None,
    "curve": [],
    "phases": [],
    "images": {"train": 90, "val": 30},
}
"""A run that left the numbers."""


def diverge(replicate: Replicate, *, fold: int) -> Replicate:
    """The replicate after one of its folds left the numbers."""
    folds = tuple(DIVERGED if i == fold else run for i, run in enumerate(replicate.fold_runs))
    return replace(replicate, fold_runs=folds, fold_score=None)


def make_score(name: str, values: list[float], *, together: float | None) -> dict[str, Any]:
    joined = None if together is None else distances(together)
    told = {"each": [distances(value) for value in values], "together": joined}
    return {"kind": "score", "id": name, "queries": 120, "singletons": 3, **told}


def distances(value: float) -> dict[str, Any]:
    """Scores under both distances; the Euclidean ones a little lower, so that a mix-up shows."""
    return {"cosine": scores(value), "euclidean": scores(value - 0.001)}


def scores(value: float) -> dict[str, Any]:
    return {**metrics(value), "map_at_r_per_class": [value] * CLASSES}


def metrics(value: float) -> Mapping[str, float]:
    return {"map_at_r": value, "r_precision": value + 0.11, "precision_at_1": value + 0.42}
