"""`measure`: how long the embeddings of an untrained model are, where no LayerNorm says it beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realitycheck.canonical import canonical_json
from realitycheck.errors import RunError
from realitycheck.executors.base import Steps, Tell
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import Body, TrainingPlace
from realitycheck.stores.open import open_store
from realitycheck.training.device import prepare_machine
from realitycheck.training.embed import embed, rms_norm
from realitycheck.training.embedding_model import build_model

IMAGES = 1000
"""The most that are embedded, evenly spread over the trainval half: the mean square is then known to about 1 %."""


def measure(payload: Body, *, tell: Tell) -> Body:
    """The RMS norm of trainval embeddings of `payload["dims"]` dimensions, by the untrained model of seed 0.

    `payload["recipe"]` and `payload["place"]` say which model and which images.

    Returns:
        `{"length": …}`.

    Raises:
        RunError: the length is 0 or not finite; nothing can be measured in units of it.
    """
    recipe = Recipe.model_validate_json(canonical_json(payload["recipe"]))
    place = TrainingPlace(**payload["place"])
    device = prepare_machine(recipe, place.device)
    store = open_store(Path(place.trainval))
    model = build_model(
        recipe=recipe, in_channels=store.channels, dims=payload["dims"], seed=0, weights=place.weights
    ).to(device)
    images = np.arange(0, len(store.labels), -(-len(store.labels) // IMAGES))
    embeddings = embed(
        model, store, images, output="embedder", recipe=recipe, device=device, between=Steps(tell, 1).report
    )
    length = rms_norm(embeddings)
    if not 0 < length < float("inf"):
        raise RunError(f"untrained embeddings have the length {length}: `units: head` needs another recipe.")
    return {"length": length}
