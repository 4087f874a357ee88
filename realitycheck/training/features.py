"""What a frozen trunk sees: features of every image of a half, computed once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realitycheck.canonical import canonical_json
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import Body
from realitycheck.training.cache import publish, read_meta
from realitycheck.training.device import autocast, prepare_machine
from realitycheck.training.feature_parts import AT_ONCE, EACH, features_path, part_path, views
from realitycheck.training.model import build_trunk, pooled
from realitycheck.training.pixels import open_pixels
from realitycheck.training.store import Store, facts_of


@dataclass(frozen=True, slots=True)
class FeatureStore(Store):
    """Pooled features of a frozen trunk.

    Args:
        features: (N, V, F) float32: of each image and, where the recipe flips, of its mirror image.
    """

    features: NDArray[np.float32]

    @property
    def channels(self) -> int:
        """F."""
        return int(self.features.shape[2])

    def plain(self, indices: NDArray[np.int64], *, recipe: Recipe, device: torch.device) -> Tensor:
        """(B, F) features of the images as they are."""
        return torch.from_numpy(self.features[indices, 0]).to(device)

    def drawn(
        self, indices: NDArray[np.int64], *, recipe: Recipe, generator: torch.Generator, device: torch.device
    ) -> Tensor:
        """(B, F) features of the images, or with the recipe's probability of their mirror images."""
        mirrored = torch.rand(len(indices), generator=generator) < recipe.augment.flip
        return torch.from_numpy(self.features[indices, mirrored.long().numpy()]).to(device)


def open_features(path: Path) -> FeatureStore:
    """Open a finished store of features.

    Raises:
        RunError: it is not there, or unfinished.
    """
    facts = facts_of(read_meta(path))
    return FeatureStore(facts, np.load(path.with_suffix(".npy"), mmap_mode="r"))


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
