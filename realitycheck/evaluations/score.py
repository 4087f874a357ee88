"""`score(ScoreSpec, Place) -> ScoreRecord`: finished models measured on the test half. The only door to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.runs import DISTANCES, Body, Place, ScoreSpec
from realitycheck.stores.base import Store
from realitycheck.stores.open import open_store
from realitycheck.training.assemble import fold_of, model_of, recipe_of
from realitycheck.training.checkpoint import load_weights
from realitycheck.training.device import prepare_machine
from realitycheck.training.embed import embed, join, rms_norm
from realitycheck.training.measure import measure


def score(payload: Body) -> Body:
    """Score the models of `payload["spec"]` at `payload["place"]`; the body of the record.

    Raises:
        RunError: a model's weights are missing, or the test half at this place is another one.
    """
    spec, place = ScoreSpec.from_json(payload["spec"]), Place(**payload["place"])
    if place.test is None:
        raise RunError("a score needs the test half; this place names none.")
    trainval, test = open_store(Path(place.trainval)), open_store(Path(place.test))
    if test.digest != spec.test:
        raise RunError(f"{place.test}: holds other images than the spec asks for ({spec.test[:12]}).")
    members = [_member(each, spec.output, place, trainval=trainval, test=test) for each in spec.models]
    labels = torch.from_numpy(test.labels)
    counts = test.counts()
    return {
        "kind": "score",
        "id": spec.id,
        "spec": spec.to_json(),
        "each": [_both([member], labels, spec.scores or {}) for member in members],
        "together": _both(members, labels, spec.scores or {}) if len(members) > 1 else None,
        "queries": sum(each for each in counts if each > 1),
        "singletons": counts.count(1),
    }


@dataclass(frozen=True, slots=True)
class _Member:
    """One model's test embeddings (N, D), and its RMS norm over its own training images."""

    embeddings: Tensor
    scale: float


def _member(run_id: str, output: str, place: Place, *, trainval: Store, test: Store) -> _Member:
    spec, weights = load_weights(Path(place.cache), run_id)
    recipe = recipe_of(spec)
    device = prepare_machine(recipe, place.device)
    model = model_of(spec, trainval, weights=None)
    model.load_state_dict(weights)
    model.to(device).eval()
    train = trainval.of_classes(fold_of(spec, classes=len(trainval.classes)).train)

    def of(store: Store, indices: np.ndarray) -> Tensor:
        return embed(model, store, indices, output=output, recipe=recipe, device=device)

    return _Member(of(test, np.arange(len(test.labels))), rms_norm(of(trainval, train)))


def _both(members: list[_Member], labels: Tensor, asked: Mapping[str, Any]) -> Body:
    embeddings, scales = [each.embeddings for each in members], [each.scale for each in members]
    joined = {name: join(embeddings, distance=name, scales=scales) for name in DISTANCES}
    return {name: measure(each, labels, asked=asked, distance=name) for name, each in joined.items()}
