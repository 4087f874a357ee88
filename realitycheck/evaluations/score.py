"""`score(ScoreSpec, ScoringPlace) -> Score`: finished models measured on the test half. The only door to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.evaluations.base import Evaluation
from realitycheck.evaluations.menu import FORMS, entry_of
from realitycheck.executors.base import Steps, Tell
from realitycheck.metrics.measure import measure
from realitycheck.records.schema import PER_CLASS, DistanceScores, ModelScores, Score
from realitycheck.runs import DISTANCES, Body, RunSpec, ScoreSpec, ScoringPlace
from realitycheck.stores.base import Store
from realitycheck.stores.open import open_store
from realitycheck.stores.resident import resident_where_it_fits
from realitycheck.training.assemble import fold_of, model_of, recipe_of, require_sources
from realitycheck.training.checkpoint import load_weights
from realitycheck.training.device import prepare_machine
from realitycheck.training.embed import join


def score(payload: Body, *, tell: Tell) -> Body:
    """Score the models of `payload["spec"]` at `payload["place"]`; the body of the record.

    Args:
        payload: `spec`, `place`, and `weights`: run id → digest of its weights in the run's record.

    Raises:
        RunError: a model's weights are missing or other ones, or the test half at this place is another one.
    """
    spec, place = ScoreSpec.from_json(payload["spec"]), ScoringPlace(**payload["place"])
    number = len(spec.models)
    steps = Steps(tell, number + len(DISTANCES) * (number + (number > 1)))  # embeddings, and their scores
    members, test = embedded(
        spec.models, spec.evaluation, place, test=spec.test, weights=payload["weights"], steps=steps
    )
    evaluation, labels = build_evaluation(spec.evaluation), torch.from_numpy(test.labels)
    counts, measures = test.counts(), _Measures(evaluation, labels, spec.scores or {}, steps)
    record = Score(
        spec=spec,
        models=tuple(_scores([member], measures) for member in members),
        together=_scores(members, measures) if len(members) > 1 else None,
        queries=sum(count for count in counts if count > 1),
        singletons=counts.count(1),
    )
    return record.to_json()


def embedded(
    models: Sequence[str], evaluation: str, place: ScoringPlace, *, test: str, weights: Mapping[str, str], steps: Steps
) -> tuple[list[EmbeddedModel], Store]:
    """Embed the test half with finished models; the embeddings of each, and the half.

    Args:
        models: run ids.
        evaluation: name on the menu.
        place: where the halves and the weights are.
        test: digest of the test half.
        weights: run id → digest of its weights in the run's record.
        steps: gets a step for each model.

    Raises:
        RunError: as `score`.
    """
    trainval, half = open_store(Path(place.trainval)), open_store(Path(place.test))
    way, members = build_evaluation(evaluation), []
    way.require(half, test=test)
    half = way.seen(half)
    halves = _Halves(trainval, half)
    for model in models:
        steps.report()
        spec, tensors = load_weights(Path(place.cache), model, digest=weights[model])
        members.append(_member(spec, tensors, way, place, halves=halves, between=steps.report))
        steps.step()
    return members, half


def build_evaluation(name: str) -> Evaluation:
    """The evaluation of this name.

    Raises:
        RunError: it is not on the menu, or its options have another form.
    """
    known = entry_of(name)
    if known is None:
        raise RunError(f"unknown evaluation '{name}': must be one of {', '.join(FORMS)}.")
    module, _, class_name = known.address.partition(":")
    evaluation: Evaluation = getattr(import_module(module), class_name)(name.partition(":")[2])
    return evaluation


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """One model's test embeddings (N, D), and its RMS norm over its own training images."""

    embeddings: Tensor
    scale: float


@dataclass(slots=True)
class _Halves:
    """Both halves; from the first model on a GPU on, their pixels or features are there for all models, if they fit."""

    trainval: Store
    test: Store

    def move(self, device: torch.device, *, evaluation: Evaluation) -> None:
        """Copy to a GPU what is read and not there yet: first the half of which all images are read."""
        self.test = resident_where_it_fits(self.test, device)
        if evaluation.reads_trainval:
            self.trainval = resident_where_it_fits(self.trainval, device)


def _member(
    spec: RunSpec,
    weights: Mapping[str, Tensor],
    evaluation: Evaluation,
    place: ScoringPlace,
    *,
    halves: _Halves,
    between: Callable[[], None],
) -> EmbeddedModel:
    require_sources(spec)
    recipe = recipe_of(spec)
    device = prepare_machine(recipe, place.device)
    halves.move(device, evaluation=evaluation)
    trainval, test = halves.trainval, halves.test
    model = model_of(spec, trainval, weights=None)
    model.load_state_dict(weights)
    model.to(device).eval()
    train = trainval.of_classes(fold_of(spec, classes=len(trainval.classes)).train)
    images = np.arange(len(test.labels))
    scale = evaluation.norm(model, trainval, train, recipe=recipe, device=device, between=between)
    embeddings = evaluation.embed(model, test, images, recipe=recipe, device=device, between=between)
    return EmbeddedModel(embeddings, scale)


@dataclass(frozen=True, slots=True)
class _Measures:
    """What is measured of embeddings: by the evaluation, with the labels of the test half, and as a protocol asks."""

    evaluation: Evaluation
    labels: Tensor
    extra: Mapping[str, Any]
    steps: Steps

    def of(self, embeddings: Tensor, distance: str) -> DistanceScores:
        """The scores of (N, D) embeddings under one distance."""
        report = self.steps.report
        values = measure(embeddings, self.labels, extra=self.extra, distance=distance, between=report)
        per_class = values.pop(PER_CLASS)
        further = self.evaluation.measured(embeddings, self.labels, distance=distance)
        self.steps.step()
        return DistanceScores({**values, **further}, tuple(per_class) if self.evaluation.by_class else ())


def joined(members: Sequence[EmbeddedModel], *, distance: str) -> Tensor:
    """The embeddings of all members concatenated, as they are compared under a distance."""
    embeddings, scales = [member.embeddings for member in members], [member.scale for member in members]
    return join(embeddings, distance=distance, scales=scales)


def _scores(members: Sequence[EmbeddedModel], measures: _Measures) -> ModelScores:
    together = {distance: joined(members, distance=distance) for distance in DISTANCES}
    return {distance: measures.of(embeddings, distance) for distance, embeddings in together.items()}
