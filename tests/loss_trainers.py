"""A trainer of a small network for any loss of the menu, without a study."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from realitycheck.losses.build import build
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.paper_settings import first_setting
from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Facts, Store
from realitycheck.stores.pixels import SquareStore
from realitycheck.training.batches import MPerClassBatches
from realitycheck.training.embedding_model import build_model
from realitycheck.training.feed import Feed
from realitycheck.training.loop import Trainer
from realitycheck.training.optimizers import build_optimizers
from realitycheck.training.teacher import teacher_of

QUICK = read_protocol(Path(__file__).parents[1] / "protocols" / "quick.yaml").value
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}
NAMES = {f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name: entry for name, entry in MENU.items()}
"""The menu, a wrapper with the loss that it wraps."""

CLASSES, DIMS = 16, 16


@functools.cache
def knobs_of(name: str) -> dict[str, Any]:
    """The published setting of the first phase."""
    knobs = first_setting(name, None)
    assert knobs is not None, name
    return phase_knobs(dict(knobs), "normal")


def loss_of(name: str) -> nn.Module:
    """A loss of the menu in its published setting."""
    return build(name, num_classes=CLASSES, embedding_dim=DIMS, seed=3, **own_knobs(knobs_of(name)))


def square_store() -> Store:
    """Random images of 28 pixels, eight of each class."""
    labels = np.repeat(np.arange(CLASSES), 8)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 1, 28, 28), dtype=np.uint8)
    return SquareStore(Facts(labels, tuple(map(str, range(CLASSES))), ""), pixels)


def recipe_with(**changes: Any) -> Recipe:
    """The recipe of `quick` for images of 28 pixels."""
    trunk = QUICK.recipe.trunk.model_copy(update={"channels": 4})
    return QUICK.recipe.model_copy(update={"image_size": 28, "trunk": trunk, **changes})


def trainer_of(name: str | nn.Module, *, recipe: Recipe | None = None, store: Store | None = None) -> Trainer:
    """A trainer before its first step; equal arguments give equal trainers."""
    recipe, store = recipe or recipe_with(), store or square_store()
    torch.manual_seed(5)
    loss = loss_of(name) if isinstance(name, str) else name
    proxies = isinstance(name, str) and NAMES[name].family == "proxies"
    shape = {"classes": 8, "per_class": 1} if proxies else {"classes": 4, "per_class": 2}
    batches = MPerClassBatches(labels=store.labels, classes=range(CLASSES), shape=shape, seed=11)
    model = build_model(recipe=recipe, in_channels=store.channels, dims=DIMS, seed=7, weights=None)
    knobs = {"loss_lr": 1e-2, **(knobs_of(name) if isinstance(name, str) else {})}
    return Trainer(
        feed=Feed(recipe, store, batches, 12, torch.device("cpu")),
        model=model,
        loss=loss,
        teacher=teacher_of(model, loss),
        optimizers=build_optimizers(recipe=recipe, knobs=knobs, model=model, loss=loss),
        distance="cosine",
    )
