"""The course of a study on one dataset, from the bodies of its records."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from realitycheck.verify.declared import Declared
from realitycheck.verify.digests import Json

Score = float | None


@dataclass(slots=True)
class DerivedTrial:
    """One trial: its hyper-parameters as the sampler saw them, and its fold runs, None where one is missing."""

    slot: int
    knobs: Json
    source: str
    unit: Json | None
    runs: list[Json | None]

    @property
    def value(self) -> Score:
        """The mean over folds of the best validation MAP@R; None where a fold is missing or diverged."""
        return mean_value(self.runs)

    @property
    def complete(self) -> bool:
        """Whether every fold run is recorded."""
        return None not in self.runs

    @property
    def diverged(self) -> bool:
        """Whether a fold run diverged."""
        return any(run is not None and run["outcome"] == "diverged" for run in self.runs)

    def for_loss(self, factor: float = 1.0) -> Json:
        """The hyper-parameters as the loss gets them; lengths are multiplied by the unit, and by the factor."""
        if self.unit is None:
            return self.knobs
        values = dict(self.knobs)
        for name, power in self.unit["powers"].items():
            length = self.unit["length"] * factor
            for _ in range(abs(power)):
                values[name] = float(values[name]) * length if power > 0 else float(values[name]) / length
        return values


@dataclass(slots=True)
class DerivedReplicate:
    """One replicate: K fold runs, a complete run, and per evaluation the scores of both."""

    index: int
    search: int
    folds: list[Json | None]
    complete: Json | None
    scores: dict[str, tuple[Json | None, Json | None]]

    @property
    def value(self) -> Score:
        """As that of a trial."""
        return mean_value(self.folds)

    @property
    def runs(self) -> list[Json]:
        """The runs that are recorded."""
        return [run for run in (*self.folds, self.complete) if run is not None]

    def models(self, category: str, evaluation: str) -> list[Json]:
        """The scored embeddings of a category: one, or K for the aggregate."""
        folds, complete = self.scores.get(evaluation, (None, None))
        if category == "complete":
            return complete["each"] if complete else []
        if folds is None:
            return []
        if category == "aggregate":
            return list(folds["each"])
        return [folds["together"]] if folds["together"] else []

    def score(self, category: str, metric: str, distance: str, evaluation: str) -> Score:
        """The test score of one category."""
        values = [model[distance][metric] for model in self.models(category, evaluation)]
        return math.fsum(values) / len(values) if values else None

    def classes(self, category: str, distance: str, evaluation: str) -> tuple[float, ...] | None:
        """MAP@R of every test class."""
        rows = [model[distance]["map_at_r_per_class"] for model in self.models(category, evaluation)]
        return tuple(math.fsum(column) / len(rows) for column in zip(*rows, strict=True)) if rows else None


@dataclass(slots=True)
class DerivedSearch:
    """One search of one loss, or the untrained models of one search number."""

    label: str
    number: int
    key: str
    planned: int
    trials: list[DerivedTrial] = field(default_factory=list)
    chosen: DerivedTrial | None = None
    replicates: list[DerivedReplicate] = field(default_factory=list)
    near: list[tuple[DerivedTrial, DerivedReplicate]] = field(default_factory=list)
    means: list[Score] = field(default_factory=list)
    selecting: bool = False

    @property
    def done(self) -> bool:
        """Whether every trial is complete, and one is chosen if any can be."""
        return not self.selecting and len(self.trials) == self.planned and all(one.complete for one in self.trials)

    @property
    def all_diverged(self) -> bool:
        """Whether no trial has a value, so that there is nothing to retrain."""
        return 0 < self.planned == len(self.trials) and all(one.diverged for one in self.trials)

    @property
    def criterion(self) -> list[Score]:
        """What trials are chosen by."""
        return self.means or [trial.value for trial in self.trials]

    def search_runs(self) -> Iterator[Json]:
        """The recorded fold runs of the trials."""
        return (run for trial in self.trials for run in trial.runs if run is not None)

    def final_runs(self) -> Iterator[Json]:
        """The recorded runs of the replicates."""
        return (run for replicate in self.replicates for run in replicate.runs)


@dataclass(slots=True)
class DerivedRow:
    """A loss, or an untrained row: its declared distance, its evaluation, its searches, and its nearest neighbours."""

    label: str
    distance: str
    evaluation: str
    searches: list[DerivedSearch]
    constant: bool = False
    trained: bool = True
    neighbors: Json | None = None

    @property
    def replicates(self) -> list[DerivedReplicate]:
        """The replicates of all searches, search by search."""
        return [replicate for search in self.searches for replicate in search.replicates]


@dataclass(slots=True)
class DerivedSweep:
    """One hyper-parameter of one loss: its chosen value, and per value its models under each seed."""

    label: str
    knob: str
    chosen: float | int
    points: list[tuple[float | int, list[DerivedReplicate]]]


@dataclass(slots=True)
class DerivedCourse:
    """A study on one dataset.

    Args:
        declared: what its files declare.
        losses: in the study's order.
        untrained: the rows of models that are never trained.
        defaults: the row of each loss's published setting, where the study asks for them.
        openings: of this test half, by number.
        registrations: by number.
        noise: standard deviation of a trial's value by retraining, where runners-up are decided; else None.
        sweeps: of the losses, in the study's order.
        tested: whether their values are scored on the test half.
        seen: ids of the records that belong to it.
    """

    declared: Declared
    losses: list[DerivedRow] = field(default_factory=list)
    untrained: list[DerivedRow] = field(default_factory=list)
    defaults: list[DerivedRow] = field(default_factory=list)
    openings: list[Json] = field(default_factory=list)
    registrations: list[Json] = field(default_factory=list)
    noise: Score = None
    sweeps: list[DerivedSweep] = field(default_factory=list)
    tested: bool = False
    seen: set[str] = field(default_factory=set)

    def row(self, label: str) -> DerivedRow:
        """The row of a loss."""
        return next(row for row in self.losses if row.label == label)

    @property
    def rows(self) -> list[DerivedRow]:
        """The losses, then the untrained rows."""
        return [*self.losses, *self.untrained]


def run_value(run: Json) -> Score:
    """The best validation MAP@R after iteration 0, which is what a trial counts; None where nothing is selected."""
    best = run["best"]
    if best is None:
        return None
    if best["iteration"] > 0:
        return float(best["map_at_r"])
    later = [point["map_at_r"] for point in run["curve"] if point["iteration"] > 0]
    return max(later, default=None)


def mean_value(runs: Sequence[Json | None]) -> Score:
    """The mean of the values of K fold runs; None where one has none."""
    values = [run_value(run) for run in runs if run is not None]
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(runs) if runs and len(known) == len(runs) else None


def missing_categories(row: DerivedRow, declared: Declared, category: str) -> list[bool]:
    """For each replicate, whether a diverged run leaves it without a score of this category."""
    if category != "complete":
        return [any(map(_diverged, one.folds)) for one in row.replicates]
    pooled = declared.protocol["final"]["complete"] == "appendix_d"
    lost = []
    for search in row.searches:
        every = [run for one in search.replicates for run in one.folds]
        for one in search.replicates:
            basis = every if pooled else one.folds
            lost.append(_diverged(one.complete) or (bool(basis) and all(map(_diverged, basis))))
    return lost


def _diverged(run: Json | None) -> bool:
    return run is not None and run["outcome"] == "diverged"


def by_number(bodies: Mapping[str, Json], kind: str) -> list[Json]:
    """The records of a kind in the order of their numbers."""
    return sorted((body for body in bodies.values() if body["kind"] == kind), key=lambda body: body["number"])
