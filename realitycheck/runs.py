"""The types that all rooms share: what is asked of a training or a score, and where it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from realitycheck.canonical import canonical_json, digest

RESULTS_VERSION = 2
"""Raised by every change that can move a number; part of every id, and the only version whose records are read."""

Body = dict[str, Any]
"""A JSON object: the body of a record, or the payload of a job."""

Knobs = Mapping[str, float | int | str]
"""Hyper-parameter → value."""


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


DISTANCES = ("cosine", "euclidean")
"""Both are stored; the one that the loss declares is primary."""


@dataclass(frozen=True)
class RunSpec:
    """One training, specified completely: everything here, and nothing else, can change its numbers.

    Args:
        results_version: `RESULTS_VERSION` of the code that defines the numbers.
        data: digest of the trainval half (images, labels, split).
        dataset: the dataset's name; it enters the seeds.
        stage: SEARCH or FINAL; it enters the seeds.
        index: the slot of the trial, or the number of the replicate; it enters the seeds.
        search: which of the loss's searches, from 0; it enters the seeds where it is not 0.
        fold: which fold validates, 0..K-1, or None for all of trainval (the complete run).
        folds: how trainval is cut: `{"count", "kind", "seed"}`.
        loss: `{"label", "address", "distance"}`, or None for a model that is never trained.
        knobs: the loss's hyper-parameters and the searched rates, by name.
        recipe: the protocol's training recipe as plain JSON (`protocol.model.Recipe`).
        batch: `{"classes", "per_class"}`.
        dims: embedding dimensions D.
        phases: one mapping per phase: `{"name", "cap", "evaluate_every", "patience"}` for a fold run, in the first one
            `first_evaluation`; `{"name", "iterations", "record_every"}` for a complete run; empty for an untrained
            model.
        root: the protocol's root seed.
        sources: address of a loss, trunk or dataset → what identifies the source of its class
            (`plugin_source.source_of`); empty where everything ships with this package.
    """

    results_version: int
    data: str
    dataset: str
    stage: Stage
    index: int
    search: int
    fold: int | None
    folds: Mapping[str, Any]
    loss: Mapping[str, str] | None
    knobs: Knobs
    recipe: Mapping[str, Any]
    batch: Mapping[str, int]
    dims: int
    phases: tuple[Mapping[str, Any], ...]
    root: int
    sources: Mapping[str, str]

    @cached_property
    def id(self) -> str:
        """The digest of the whole spec."""
        return digest(self.to_json())

    def to_json(self) -> Body:
        """This spec as plain JSON values."""
        own = {name: getattr(self, name) for name in self.__match_args__}
        return own | {"stage": self.stage.value, "phases": [dict(phase) for phase in self.phases]}

    def on_folds(self, count: int) -> tuple[RunSpec, ...]:
        """This run on each of the first `count` folds; the rest of its JSON is written once for all their digests."""
        body = self.to_json()
        before = canonical_json({name: value for name, value in body.items() if name < "fold"})
        after = canonical_json({name: value for name, value in body.items() if name > "fold"})
        specs = tuple(replace(self, fold=fold) for fold in range(count))
        for fold, spec in enumerate(specs):
            text = f'{before[:-1]},"fold":{fold},{after[1:]}'
            spec.take_id(hashlib.sha256(text.encode()).hexdigest())
        return specs

    def take_id(self, known: str) -> None:
        """Take the digest of this spec, where it is known, so that its JSON is not written for it."""
        vars(self)["id"] = known  # where `cached_property` keeps it

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> RunSpec:
        """The spec that `to_json` wrote.

        Raises:
            TypeError: a field is missing or unknown.
            ValueError: the stage is unknown.
        """
        return cls(**{**body, "stage": Stage(body["stage"]), "phases": tuple(body["phases"])})


CLEAN, TRUNK = "clean", "trunk"
"""The evaluations that every study has: the test half as it is, and its pooled features below the embedder."""


@dataclass(frozen=True)
class ScoreSpec:
    """One evaluation of finished models on the test half.

    Args:
        results_version: as in `RunSpec`.
        test: digest of the test half (images and labels).
        models: run ids; more than one are scored each by itself and as one concatenated embedding.
        evaluation: what is measured: the name of an evaluation on the menu.
        scores: what is asked for beside the scores of every record, as plain JSON (`protocol.model.Scores`); None where
            nothing is.
    """

    results_version: int
    test: str
    models: tuple[str, ...]
    evaluation: str
    scores: Mapping[str, Any] | None

    @cached_property
    def id(self) -> str:
        """The digest of the whole spec."""
        return digest(self.to_json())

    def to_json(self) -> Body:
        """This spec as plain JSON values."""
        return {
            "results_version": self.results_version,
            "test": self.test,
            "models": list(self.models),
            "evaluation": self.evaluation,
            "scores": None if self.scores is None else dict(self.scores),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ScoreSpec:
        """The spec that `to_json` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**{**body, "models": tuple(body["models"])})


@dataclass(frozen=True, slots=True)
class TrainingPlace:
    """Where and how a training runs; never part of an identity. It has no field for a test half, and takes no other.

    Args:
        trainval: store of the trainval half.
        cache: folder for weights and checkpoints, one file per run id.
        device: `cpu`, `cuda`, `cuda:<number>`, or `auto`.
        weights: the file of the trunk's learned weights, or None where it has none.
        checkpoint_seconds: longest time between two checkpoints in a run; None to write none.
        graphs: whether the steps of a run on a GPU are replayed as a CUDA graph, where that has the same bits.
    """

    trainval: str
    cache: str
    device: str
    weights: str | None
    checkpoint_seconds: float | None = None
    graphs: bool = False


@dataclass(frozen=True, slots=True)
class ScoringPlace:
    """Where and how finished models are measured; never part of an identity.

    Args:
        trainval: store of the trainval half.
        test: store of the test half.
        cache: folder that holds the weights of the models.
        device: as in `TrainingPlace`.
    """

    trainval: str
    test: str
    cache: str
    device: str
