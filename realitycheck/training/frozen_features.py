"""Compute the features of a frozen trunk, once for every image of a half."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realitycheck.canonical import canonical_json
from realitycheck.executors.base import Tell
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import Body
from realitycheck.stores.base import Store
from realitycheck.stores.corruptions.corrupted_store import CorruptedStore
from realitycheck.stores.feature_parts import (
    FEATURE_BATCH,
    IMAGES_PER_PART,
    features_path,
    part_path,
    views,
    write_part,
)
from realitycheck.stores.pixels import open_pixels
from realitycheck.training.device import autocast, prepare_machine
from realitycheck.training.embedding_model import build_trunk, pooled
from realitycheck.training.evaluation_images import images_in_batches


def compute(payload: Body, *, tell: Tell) -> Body:
    """Compute one part of the features of a pixel store and write it beside the store.

    Args:
        payload: `pixels` (path of the store), `recipe`, `start` (index of the first image), `device`, and `weights`
            (file of the trunk's weights, or None for random weights from seed 0, the same for every run); for corrupted
            images also `corruption`, kind and severity.

    Returns:
        `{"path"}`, the file that was written.
    """
    recipe = Recipe.model_validate_json(canonical_json(payload["recipe"]))
    device = prepare_machine(recipe, payload["device"])
    pixels, start, corruption = Path(payload["pixels"]), payload["start"], payload.get("corruption", "")
    store: Store = open_pixels(pixels)
    if corruption:
        store = CorruptedStore(store.facts, store, corruption)
    trunk = build_trunk(recipe=recipe, in_channels=store.channels, weights=payload["weights"], seed=0)
    trunk.to(device).eval()
    indices = np.arange(start, min(start + IMAGES_PER_PART, len(store.labels)))
    count = -(-len(indices) // FEATURE_BATCH)
    features: list[NDArray[np.float32]] = []
    with closing(images_in_batches(store, indices, size=FEATURE_BATCH, recipe=recipe, device=device)) as batches:
        for images in batches:
            tell(len(features), count)
            features.append(_features(trunk, images, recipe=recipe))
    path = part_path(features_path(pixels, recipe, corruption=corruption), start)
    write_part(path, np.concatenate(features))
    return {"path": str(path)}


@torch.inference_mode()
def _features(trunk: nn.Module, images: Tensor, *, recipe: Recipe) -> NDArray[np.float32]:
    """Return (B, V, F) pooled features; V is 2 where the recipe flips images, else 1."""
    with autocast(recipe.computes.precision, images.device):
        mirrored = [images, images.flip(3)][: views(recipe)]
        features = [pooled(trunk(view.float().div(255)), recipe.pooling).float() for view in mirrored]
    return torch.stack(features, dim=1).cpu().numpy()
