"""Assemble everything that a run needs from its spec: data, model, loss, optimisers and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realitycheck.canonical import canonical_json
from realitycheck.catalog import build_loss
from realitycheck.errors import RunError
from realitycheck.losses.base import initialize
from realitycheck.losses.global_draws import seed_generators, seeded
from realitycheck.plan.seeds import run_seed
from realitycheck.plan.splits import Fold, make_folds
from realitycheck.plugin_source import sources_of
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.recipe import Recipe
from realitycheck.protocol.split_keys import EVEN
from realitycheck.runs import RunSpec, TrainingPlace
from realitycheck.stores.base import Store
from realitycheck.stores.open import open_store
from realitycheck.training.batches import batches_of
from realitycheck.training.checkpoint import Snapshot
from realitycheck.training.device import prepare_machine
from realitycheck.training.embedding_model import EmbeddingModel, build_model
from realitycheck.training.feed_placement import feed_of
from realitycheck.training.loop import Trainer
from realitycheck.training.optimizers import build_optimizers
from realitycheck.training.teacher import teacher_of


def assemble(spec: RunSpec, place: TrainingPlace) -> tuple[Trainer, NDArray[np.int64], NDArray[np.int64]]:
    """Return a trainer before its first iteration, and the indices of its training and validation images.

    Raises:
        RunError: if the store at this place does not hold the images of the spec.
    """
    recipe = recipe_of(spec)
    device = prepare_machine(recipe, place.device)
    require_sources(spec)
    store = open_store(Path(place.trainval))
    if store.digest != spec.data:
        raise RunError(f"{place.trainval}: the images differ from those of the spec ({spec.data[:12]}).")
    fold = fold_of(spec, classes=len(store.classes))
    model = model_of(spec, store, weights=place.weights).to(device)
    loss = _loss(spec, recipe, classes=len(fold.train), phase="normal").to(device)
    # For losses of plug-ins that draw from a global generator.
    seed_generators(run_seed(spec, "loss"))
    batches = batches_of(labels=store.labels, classes=fold.train, shape=spec.batch, seed=run_seed(spec, "order"))
    trainer = Trainer(
        feed=feed_of(recipe, store, batches, run_seed(spec, "augment"), device),
        model=model,
        loss=loss,
        teacher=teacher_of(model, loss),
        optimizers=_optimizers(spec, recipe, model, loss),
        distance=spec.loss["distance"] if spec.loss else "cosine",
    )
    return trainer, store.of_classes(fold.train), store.of_classes(fold.val)


def enter_followup(trainer: Trainer, spec: RunSpec) -> None:
    """Set the knobs and rates of the second phase; weights, buffers and optimiser states are kept."""
    state = Snapshot.take(trainer.parts)
    knobs = phase_knobs(spec.knobs, "followup")
    classes = len(trainer.feed.batches.members)
    trainer.loss = _loss(spec, trainer.recipe, classes=classes, phase="followup").to(trainer.device)
    trainer.optimizers = build_optimizers(recipe=trainer.recipe, knobs=knobs, model=trainer.model, loss=trainer.loss)
    optimizers = trainer.optimizers.items()
    rates = {name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in optimizers}
    state.restore(trainer.parts)
    for name, optimizer in optimizers:
        for group, rate in zip(optimizer.param_groups, rates[name], strict=True):
            group["lr"] = rate


def require_sources(spec: RunSpec) -> None:
    """Compare the sources of the spec's classes with the present ones, which may have been edited since the plan.

    Raises:
        RunError: if one differs; the training would have another one's id.
    """
    here = sources_of(*spec.sources)
    for address, source in spec.sources.items():
        if here.get(address) != source:
            raise RunError(f"the source of {address} changed since the study was read. `run` the study again.")


def recipe_of(spec: RunSpec) -> Recipe:
    """Return the validated recipe of a spec."""
    return Recipe.model_validate_json(canonical_json(spec.recipe))


def model_of(spec: RunSpec, store: Store, *, weights: str | None) -> EmbeddingModel:
    """Build the model of a spec with its initial weights; `weights` is the file of the trunk's weights, if any."""
    return build_model(
        recipe=recipe_of(spec),
        in_channels=store.channels,
        dims=spec.dims,
        seed=run_seed(spec, "init"),
        weights=weights,
    )


def fold_of(spec: RunSpec, *, classes: int) -> Fold:
    """Return the fold of a run; a complete run trains on all classes and has no validation classes."""
    if spec.fold is None:
        return Fold(index=-1, train=tuple(range(classes)), val=())
    rule = spec.folds
    share = rule.get("share", EVEN)
    return make_folds(range(classes), count=rule["count"], kind=rule["kind"], seed=rule["seed"], share=share)[spec.fold]


def _optimizers(
    spec: RunSpec, recipe: Recipe, model: EmbeddingModel, loss: nn.Module
) -> dict[str, torch.optim.Optimizer]:
    """Build the optimisers; an untrained model has none, because it has no rates if these are searched."""
    return build_optimizers(recipe=recipe, knobs=spec.knobs, model=model, loss=loss) if spec.phases else {}


def _loss(spec: RunSpec, recipe: Recipe, *, classes: int, phase: str) -> nn.Module:
    if spec.loss is None:
        return nn.Module()
    seed = run_seed(spec, "loss")
    knobs = own_knobs(phase_knobs(spec.knobs, phase))
    with seeded(seed):
        loss = build_loss(spec.loss["address"], num_classes=classes, embedding_dim=spec.dims, seed=seed, knobs=knobs)
    initialize(loss, rule=recipe.loss_init, generator=torch.Generator().manual_seed(seed))
    return loss
