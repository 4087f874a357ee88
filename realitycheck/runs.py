"""The currency of the house: what is asked of a training or a score, and what comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from realitycheck.canonical import digest

ACCEPTED = "the machine failed on every attempt, and the run was accepted as spent"
"""The cause of a run that was written as DIVERGED by a person's decision."""

RESULTS_VERSION = 1
"""Raised by every change that can move a number; part of every id."""

Body = dict[str, Any]
"""A record as plain JSON values: `kind`, `id`, and what its kind demands."""


class Stage(StrEnum):
    """Where a run belongs: to a trial of the search, or to a replicate of the final retraining."""

    SEARCH = "search"
    FINAL = "final"


class Outcome(StrEnum):
    """How a run ended. A machine's failure is an attempt, not an outcome."""

    COMPLETED = "completed"
    DIVERGED = "diverged"


class Category(StrEnum):
    """How fold models become one score.

    `AGGREGATE`: mean of the K fold models' scores, D dims each. `ENSEMBLE`: one score of the K embeddings
    concatenated. `COMPLETE`: one model with K·D dims trained on all of trainval.
    """

    AGGREGATE = "aggregate"
    ENSEMBLE = "ensemble"
    COMPLETE = "complete"

    def label(self, *, dims: int, folds: int) -> str:
        """The name with its width, as papers print it: `aggregate-128`, `ensemble-512`, `complete-512`."""
        return f"{self.value}-{dims if self is Category.AGGREGATE else dims * folds}"


METRICS = ("map_at_r", "r_precision", "precision_at_1")
"""The scores of every record, in the order of the tables."""

RECALL, NMI = "recall_at_", "nmi"
"""What records call the scores that a protocol may ask for: `recall_at_10` and the like, and `nmi`."""

DISTANCES = ("cosine", "euclidean")
"""Both are stored; the one that the loss declares is primary."""


@dataclass(frozen=True)
class RunSpec:
    """One training, told completely: everything here, and nothing else, can change its number.

    Args:
        results_version: `RESULTS_VERSION` of the code that defines the numbers.
        data: digest of the trainval half (images, labels, split).
        dataset: the dataset's name; it enters the seeds.
        stage: SEARCH or FINAL; it enters the seeds.
        index: the slot of the trial, or the number of the replicate; it enters the seeds.
        fold: which fold validates, 0..K-1, or None for all of trainval (the complete run).
        folds: how trainval is cut: `{"count", "kind", "seed"}`.
        loss: `{"label", "address", "distance"}`, or None for a model that is never trained.
        knobs: the loss's hyper-parameters and the searched rates, by name.
        recipe: the protocol's training recipe as plain JSON (`protocol.model.Recipe`).
        batch: `{"classes", "per_class"}`.
        dims: embedding dimensions D.
        phases: one mapping per phase: `{"name", "cap", "evaluate_every", "patience"}` for a fold run,
            `{"name", "iterations"}` for a complete run; empty for an untrained model.
        root: the protocol's root seed.
    """

    results_version: int
    data: str
    dataset: str
    stage: Stage
    index: int
    fold: int | None
    folds: Mapping[str, Any]
    loss: Mapping[str, str] | None
    knobs: Mapping[str, float | int | str]
    recipe: Mapping[str, Any]
    batch: Mapping[str, int]
    dims: int
    phases: tuple[Mapping[str, Any], ...]
    root: int

    @cached_property
    def id(self) -> str:
        """The digest of the whole spec."""
        return digest(self.to_json())

    def to_json(self) -> Body:
        """This spec as plain JSON values."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return own | {"stage": self.stage.value, "phases": [dict(phase) for phase in self.phases]}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> RunSpec:
        """The spec that `to_json` wrote."""
        return cls(**{**body, "stage": Stage(body["stage"]), "phases": tuple(body["phases"])})


@dataclass(frozen=True)
class ScoreSpec:
    """Finished models measured on the test half.

    Args:
        results_version: as in `RunSpec`.
        test: digest of the test half (images and labels).
        models: run ids; more than one are scored each by itself and as one concatenated embedding.
        output: `embedder`, or `trunk` for the pooled features below it.
        scores: what is asked for beside `METRICS`, as plain JSON (`protocol.model.Scores`); None where nothing is, and
            then it is no part of the id.
    """

    results_version: int
    test: str
    models: tuple[str, ...]
    output: str
    scores: Mapping[str, Any] | None

    @cached_property
    def id(self) -> str:
        """The digest of the whole spec."""
        return digest(self.to_json())

    def to_json(self) -> Body:
        """This spec as plain JSON values."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "scores"}
        asked = {} if self.scores is None else {"scores": dict(self.scores)}
        return {**own, "models": list(self.models), **asked}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ScoreSpec:
        """The spec that `to_json` wrote."""
        return cls(**{"scores": None, **body, "models": tuple(body["models"])})


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a job runs; never part of an identity.

    Args:
        trainval: pixel store of the trainval half.
        test: pixel store of the test half; None for every run, named for a score alone.
        cache: folder for weights, one file per run id.
        device: `cpu`, `cuda`, or `auto`.
        weights: the file of the trunk's learned weights, or None where it has none.
    """

    trainval: str
    test: str | None
    cache: str
    device: str
    weights: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One proposed set of hyper-parameters, judged on all folds.

    `value` is the mean over folds of the best validation MAP@R, and None if any fold diverged.
    """

    slot: int
    knobs: Mapping[str, float | int | str]
    fold_values: tuple[float | None, ...]
    value: float | None


@dataclass(frozen=True, slots=True)
class Replicate:
    """The chosen hyper-parameters under one fresh seed: K fold runs, one complete run, and their test scores.

    Each part is a record's body, or None while it is not there. A fold run that diverged has no score.
    """

    index: int
    fold_runs: tuple[Body | None, ...]
    complete_run: Body | None
    fold_score: Body | None
    complete_score: Body | None

    def score(self, *, category: Category, metric: str, distance: str) -> float | None:
        """The test score in [0, 1] of one category, or None where a part of it diverged or is still missing."""
        found = self._scores(category)
        return None if not found else math.fsum(each[distance][metric] for each in found) / len(found)

    def per_class(self, *, category: Category, distance: str) -> list[float] | None:
        """MAP@R of each test class with at least one query, in class order, or None as in `score`."""
        found = self._scores(category)
        if not found:
            return None
        columns = zip(*(each[distance]["map_at_r_per_class"] for each in found), strict=True)
        return [math.fsum(column) / len(found) for column in columns]

    def _scores(self, category: Category) -> list[Body]:
        if category is Category.COMPLETE:
            return self.complete_score["each"] if self.complete_score else []
        if not self.fold_score:
            return []
        return self.fold_score["each"] if category is Category.AGGREGATE else [self.fold_score["together"]]

    @property
    def diverged(self) -> int:
        """How many of its runs diverged."""
        runs = (*self.fold_runs, self.complete_run)
        return sum(run is not None and run["outcome"] == Outcome.DIVERGED for run in runs)


def run_record(spec: RunSpec, *, outcome: Outcome, cause: str | None) -> Body:
    """The body of a run's record before anything has been seen of the run."""
    return {
        "kind": "run",
        "id": spec.id,
        "spec": spec.to_json(),
        "outcome": outcome.value,
        "cause": cause,
        "best": None,
        "curve": [],
        "phases": [],
        "images": {"train": 0, "val": 0},
    }


def by_kind(bodies: Iterable[Body], kind: str) -> list[Body]:
    """The bodies of one kind, in the order given."""
    return [body for body in bodies if body["kind"] == kind]
