"""What every search cost and chose, its near-best settings, and how runs ended."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from realitycheck.verify.declared import place_of
from realitycheck.verify.derived_course import DerivedCourse, DerivedRow, DerivedSearch, DerivedTrial, run_value
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.digests import Json
from realitycheck.verify.formulas import known, mean
from realitycheck.verify.lengths_again import WINDOW, near_trials, retraining_noise

SCALES = {"uniform": "linear", "log_uniform": "log", "int_uniform": "integer", "log_int_uniform": "integer, log"}
NEAR_BOUND = 0.01
EDGE = 1e-6
FEW_VALUES = 10
FINAL = 0.99


def searches(course: DerivedCourse) -> list[Json]:
    """The searches of all losses: their cost, their choice, and the same setting under fresh seeds."""
    return [_search(course, row, search) for row in course.losses for search in row.searches]


def _search(course: DerivedCourse, row: DerivedRow, search: DerivedSearch) -> Json:
    space, chosen = course.declared.space(row.label), search.chosen
    fresh = known([replicate.value for replicate in search.replicates])
    return {
        "label": row.label,
        "number": search.number,
        "trials": len(search.trials),
        "wanted": search.planned,
        "finished": sum(trial.diverged or trial.value is not None for trial in search.trials),
        "diverged": sum(trial.diverged for trial in search.trials),
        "searched": sum(isinstance(bounds, dict) for bounds in space.values()),
        "slot": chosen.slot if chosen else None,
        "source": chosen.source if chosen else None,
        "value": chosen.value if chosen else None,
        "fresh": mean(fresh) if fresh else None,
        "knobs": _knobs(space, chosen) if chosen else [],
    }


def _knobs(space: Json, chosen: DerivedTrial) -> list[Json]:
    names = [name for name in space if name in chosen.knobs]
    names += [name for name in chosen.knobs if name not in space]
    powers, raw = chosen.unit["powers"] if chosen.unit else {}, chosen.for_loss()
    return [
        {**_knob(name, chosen.knobs[name], space.get(name)), "raw": raw[name] if name in powers else None}
        for name in names
    ]


def _knob(name: str, value: Any, bounds: Any) -> Json:
    knob = {"name": name, "value": value, "bounds": None, "options": [], "on_bound": None, "scale": "fixed"}
    if not isinstance(bounds, dict):
        return knob
    ((kind, ends),) = bounds.items()
    if kind == "choice":
        return {**knob, "scale": "choice", "options": list(ends)}
    if isinstance(value, str):
        return knob
    return {**knob, "scale": SCALES[kind], "bounds": list(ends), "on_bound": _side(bounds, ends, value)}


def _side(bounds: Json, ends: Sequence[float], value: float) -> str | None:
    """Which bound a value is within 1 % of the range of."""
    if not ends[0] <= value <= ends[1]:
        return None
    place = float(place_of(bounds, value))
    return "low" if place <= NEAR_BOUND else "high" if place >= 1 - NEAR_BOUND else None


def causes(search: DerivedSearch) -> dict[str, int]:
    """Why runs of a search diverged, without the numbers in the sentences."""
    runs = [*search.search_runs(), *search.final_runs()]
    return Counter(re.split(r" (?:at|by) iteration| to a spread", run["cause"])[0] for run in runs if run["cause"])


def near_best(scores: DerivedScores) -> list[Json]:
    """The near-best settings of all searches with their test scores in the primary metric."""
    metric = scores.declared.primary[1]
    return [
        {
            "label": row.label,
            "search": search.number,
            "slot": trial.slot,
            "chosen": search.chosen is not None and trial.slot == search.chosen.slot,
            "value": trial.value,
            "scores": {
                category: models.score(category, metric, row.distance, "clean")
                for category in scores.declared.categories
            },
        }
        for row in scores.course.losses
        for search in row.searches
        for trial, models in search.near
    ]


def search_effort(course: DerivedCourse) -> Json | None:
    """What every search cost, and how soon it was good."""
    every = [search for row in course.losses for search in row.searches]
    if not any(search.trials for search in every):
        return None
    noise = retraining_noise(every)
    return {"noise": noise, "searches": [_effort(course, search, noise) for search in every]}


def _effort(course: DerivedCourse, search: DerivedSearch, noise: float | None) -> Json:
    space, runs = course.declared.space(search.label), list(search.search_runs())
    starts = [run["curve"][0]["map_at_r"] for run in runs if run["curve"]]
    untrained = mean(starts) if starts else None
    values, by = known([one.value for one in search.trials]), known(search.criterion)
    proposed = [one for one in search.trials if one.source not in ("startup", "published")]
    window = None if noise is None or not by else max(by) - WINDOW * noise
    return {
        "label": search.label,
        "number": search.number,
        "iterations": sum(map(iterations_of, runs)),
        "evaluations": sum(len(run["curve"]) for run in runs),
        "retraining": sum(map(iterations_of, search.final_runs())),
        "untrained": untrained,
        "to_untrained": None if untrained is None else _reached(search, lambda best: best >= untrained),
        "to_final": _reached(search, lambda best: best >= FINAL * max(values)),
        "proposed": len(proposed),
        "on_bounds": sum(_on_bound(one, space) for one in proposed),
        "completed": len(values),
        "near_best": None if window is None else sum(value >= window for value in by),
        "apart": None if noise is None else len(near_trials(course.declared, search, noise, most=5)),
    }


def iterations_of(run: Json) -> int:
    """How long a run trained; of a diverged one, up to its last validation."""
    if run["phases"]:
        return sum(phase["iterations"] for phase in run["phases"])
    return int(run["curve"][-1]["iteration"]) if run["curve"] else 0


def _reached(search: DerivedSearch, enough: Callable[[float], bool]) -> Json | None:
    spent = 0
    for place, trial in enumerate(search.trials):
        spent += sum(iterations_of(run) for run in trial.runs if run)
        if trial.value is not None and enough(trial.value):
            return {"trials": place + 1, "iterations": spent}
    return None


def _on_bound(trial: DerivedTrial, space: Json) -> bool:
    """Whether a hyper-parameter is on a bound; integers with few values have none here."""
    for name, bounds in space.items():
        if not isinstance(bounds, dict) or "choice" in bounds or name not in trial.knobs:
            continue
        ((kind, (low, high)),) = bounds.items()
        few = "int" in kind and high - low + 1 < FEW_VALUES
        if not few and not EDGE < float(place_of(bounds, trial.knobs[name])) < 1 - EDGE:
            return True
    return False


def endings(course: DerivedCourse) -> list[Json]:
    """How the runs of every search and of its replicates ended each phase."""
    return [
        _ending(row.label, search, phase)
        for row in course.losses
        for search in row.searches
        for phase in course.declared.phases
    ]


def _ending(label: str, search: DerivedSearch, phase: Json) -> Json:
    finals = [run for one in search.replicates for run in one.folds if run]
    complete = _phases([one.complete for one in search.replicates if one.complete], phase["name"])
    return {
        "label": label,
        "number": search.number,
        "phase": phase["name"],
        "cap": phase["cap"],
        "final": _tally(_phases(finals, phase["name"])),
        "search": _tally(_phases(search.search_runs(), phase["name"])),
        "complete": [one["iterations"] for one in complete],
    }


def _phases(runs: Sequence[Json] | Iterator[Json], name: str) -> list[Json]:
    return [one for run in runs if run["outcome"] == "completed" for one in run["phases"] if one["name"] == name]


def _tally(ends: Sequence[Json]) -> Json:
    capped = [one for one in ends if one["stop"] == "cap"]
    rising = sum(one["best_iteration"] == one["iterations"] for one in capped)
    return {"runs": len(ends), "capped": len(capped), "rising": rising}


def first_best(course: DerivedCourse) -> dict[str, list[int]]:
    """Fold runs of the replicates, and those in which the initial weights validate better than what came after."""
    counts = {}
    for row in course.losses:
        runs = [run for search in row.searches for run in search.final_runs()]
        runs = [run for run in runs if run["best"] is not None and len(run["curve"]) > 1]
        better = sum(run["curve"][0]["map_at_r"] > _last(run) for run in runs)
        counts[row.label] = [len(runs), better]
    return counts


def _last(run: Json) -> float:
    value = run_value(run)
    return math.inf if value is None else value


def facts(course: DerivedCourse) -> Json:
    """The images of a dataset, and how many trainings were done."""
    every = [search for row in course.losses for search in row.searches]
    trials = [run for search in every for run in search.search_runs()]
    replicates = [one for search in every for one in search.replicates]
    folds = [run for one in replicates for run in one.folds if run]
    images = [run["images"] for run in (*trials, *folds) if run["images"]["train"]]
    scored = [one.scores["clean"][0] for one in replicates if one.scores["clean"][0]]
    near = sum(models.complete is not None for search in every for _, models in search.near[1:])
    score = scored[0] if scored else None
    return {
        "images": images[0]["train"] + images[0]["val"] if images else None,
        "train": _ends([one["train"] for one in images]),
        "val": _ends([one["val"] for one in images]),
        "queries": score["queries"] if score else None,
        "classes": len(score["each"][0]["cosine"]["map_at_r_per_class"]) if score else None,
        "singletons": score["singletons"] if score else None,
        "trainings": {
            "search": len(trials),
            "folds": len(folds),
            "complete": sum(one.complete is not None for one in replicates),
            "runners_up": near,
        },
    }


def _ends(values: Sequence[int]) -> list[int] | None:
    return [min(values), max(values)] if values else None
