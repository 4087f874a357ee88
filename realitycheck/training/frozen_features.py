"""What a frozen trunk sees: features of every image of a half, computed once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realitycheck.canonical import canonical_json
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import Body
from realitycheck.stores.base import Store
from realitycheck.stores.cache import publish
from realitycheck.stores.feature_parts import AT_ONCE, EACH, features_path, part_path, views
from realitycheck.stores.pixels import open_pixels
from realitycheck.training.device import autocast, prepare_machine
from realitycheck.training.model import build_trunk, pooled


def compute(payload: Body) -> Body:
    """Compute a part of the features of the store `payload["pixels"]` by `payload["recipe"]`, from `payload["start"]`.

    `payload["weights"]` is the file of the trunk's weights; without one it starts from seed 0, the same for every run.
    """
    recipe = Recipe.model_validate_json(canonical_json(payload["recipe"]))
    device = prepare_machine(recipe, payload["device"])
    pixels, start = Path(payload["pixels"]), payload["start"]
    store = open_pixels(pixels)
    trunk = build_trunk(recipe=recipe, in_channels=store.channels, weights=payload["weights"], seed=0)
    trunk.to(device).eval()
    indices = np.arange(start, min(start + EACH, len(store.labels)))
    blocks = [indices[place : place + AT_ONCE] for place in range(0, len(indices), AT_ONCE)]
    found = [_seen(trunk, store, block, recipe=recipe, device=device) for block in blocks]
    path = part_path(features_path(pixels, recipe), start)
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    with draft.open("wb") as file:
        np.save(file, np.concatenate(found))
    publish(draft, path)
    return {"path": str(path)}


@torch.inference_mode()
def _seen(
    trunk: nn.Module, store: Store, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device
) -> NDArray[np.float32]:
    """(B, V, F) pooled features of some images."""
    images = store.plain(indices, recipe=recipe, device=device)
    with autocast(recipe.precision, device):
        shown = [images, images.flip(3)][: views(recipe)]
        found = [pooled(trunk(each.float().div(255)), recipe.pooling).float() for each in shown]
    return torch.stack(found, dim=1).cpu().numpy()
