"""How long complete runs train, and which settings of a search validation cannot tell from its best one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from realitycheck.verify.declared import Declared, place_of
from realitycheck.verify.derived_course import DerivedSearch, DerivedTrial
from realitycheck.verify.digests import Json

APART = 0.1
"""Two near-best settings differ by at least this share of a range (docs/statistics.md, Runners-up)."""

WINDOW = 1.96 * math.sqrt(2)
"""Standard deviations of a trial's value that a runner-up may be below the best."""


def complete_phases(declared: Declared, label: str, folds: Sequence[Json | None]) -> list[Json] | None:
    """The phases of a complete run; None while a fold run is missing, or where all of them diverged."""
    if None in folds:
        return None
    done = [run for run in folds if run is not None and run["outcome"] == "completed"]
    if not done:
        return None
    if declared.protocol["final"]["complete"] == "per_replicate":
        lengths = [
            _up(Fraction(sum(_upto(run, phase["name"]) for run in done), len(done)), phase["evaluate_every"])
            for phase in declared.phases
        ]
    else:
        lengths = _appendix_d(declared, label, done)
    pairs = zip(declared.phases, lengths, strict=True)
    return [
        {"name": phase["name"], "iterations": length, "record_every": phase["evaluate_every"]}
        for phase, length in pairs
        if length
    ]


def _appendix_d(declared: Declared, label: str, done: Sequence[Json]) -> list[int]:
    """DeMoor and Prevost (2024), Appendix D-B: mean total and mean follow-up epochs, in multiples of five."""

    def mean_epochs(names: Sequence[str]) -> Fraction:
        every = [
            Fraction(sum(_upto(run, name) for name in names), _epoch(declared, label, run["images"]["train"]))
            for run in done
        ]
        return sum(every, Fraction(0)) / len(every)

    names = [phase["name"] for phase in declared.phases]
    total, followup = _up(mean_epochs(names), 5), _up(mean_epochs(names[1:]), 5)
    length = _epoch(declared, label, done[0]["images"]["train"] + done[0]["images"]["val"])
    return [(total - followup) * length, followup * length][: len(names)]


def _upto(run: Json, name: str) -> int:
    return sum(int(phase["best_iteration"]) for phase in run["phases"] if phase["name"] == name)


def _epoch(declared: Declared, label: str, images: int) -> int:
    """Iterations of an epoch; `pass` is one pass over the images."""
    epoch = declared.protocol["epoch"]
    if epoch != "pass":
        return int(epoch)
    batch = declared.protocol["batches"][declared.loss(label)["family"]]
    size = int(batch["classes"]) * int(batch["per_class"])
    return math.ceil(images / size)


def _up(value: Fraction, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple


def growth(declared: Declared) -> float:
    """By how much lengths in units of the initial embedding length are longer in a complete run."""
    scaled = declared.protocol["final"].get("lengths", "scaled") == "scaled"
    kaiming = declared.protocol["recipe"]["embedder_init"] == "kaiming_fan_out"
    return math.sqrt(declared.folds) if scaled and not kaiming else 1.0


def retraining_noise(searches: Sequence[DerivedSearch]) -> float | None:
    """The standard deviation of a trial's value over seeds, pooled over searches."""
    rows = [[value for one in search.replicates if (value := one.value) is not None] for search in searches]
    freedom = sum(len(row) - 1 for row in rows if row)
    if freedom <= 0:
        return 0.0
    squares = [(value - math.fsum(row) / len(row)) ** 2 for row in rows for value in row]
    return math.sqrt(math.fsum(squares) / freedom)


def near_trials(declared: Declared, search: DerivedSearch, noise: float, *, most: int) -> list[DerivedTrial]:
    """The best trial and those that validation cannot distinguish from it, each apart from every one before it."""
    space, values = declared.space(search.label), search.criterion
    places = [
        {name: place_of(bounds, trial.knobs[name]) for name, bounds in space.items() if name in trial.knobs}
        for trial in search.trials
    ]
    known = [(value, place) for place, value in enumerate(values) if value is not None]
    taken: list[int] = []
    for value, number in sorted(known, key=lambda pair: (-pair[0], pair[1])):
        if len(taken) == most or value < max(known)[0] - WINDOW * noise:
            break
        if all(_distance(places[number], places[other]) >= APART for other in taken):
            taken.append(number)
    return [search.trials[number] for number in taken]


def _distance(one: Json, other: Json) -> float:
    gaps = [
        float(one[name] != other[name]) if isinstance(one[name], str) else abs(one[name] - other[name]) for name in one
    ]
    return max(gaps, default=0.0)
