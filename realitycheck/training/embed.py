"""Images to embeddings, and embeddings of several models to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.device import autocast
from realitycheck.training.model import EmbeddingModel

EVALUATION_BATCH = 500
"""Images at a time. Part of the numbers (kernels differ by batch size), hence fixed; see `RESULTS_VERSION`."""


@torch.inference_mode()
def embed(
    model: EmbeddingModel,
    store: Store,
    indices: NDArray[np.int64],
    *,
    output: str,
    recipe: Recipe,
    device: torch.device,
) -> Tensor:
    """(N, D) float32 embeddings, or with `output` = `trunk` (N, F) features, of some images of a store."""
    was_training = model.training
    model.eval()
    forward = model.features if output == "trunk" else model.forward
    parts = []
    for start in range(0, len(indices), EVALUATION_BATCH):
        images = store.plain(indices[start : start + EVALUATION_BATCH], recipe=recipe, device=device)
        with autocast(recipe.precision, device):
            parts.append(forward(images).float())
    model.train(was_training)
    return torch.cat(parts)


def rms_norm(embeddings: Tensor) -> float:
    """The root mean square norm of (N, D) embeddings."""
    return float(embeddings.double().square().sum(dim=1).mean().sqrt())


def join(members: Sequence[Tensor], *, distance: str, scales: Sequence[float]) -> Tensor:
    """One (N, sum of D) embedding out of K models' (N, D), each with an equal say.

    Cosine members are L2-normalised; Euclidean ones are divided by `scales`, their RMS norm over their own training
    images, so that no member dominates by the size of its numbers. A member of scale 0 contributes zeros.
    """
    if distance == "cosine":
        return torch.cat([functional.normalize(each, dim=1) for each in members], dim=1)
    return torch.cat([_scaled(each, scale) for each, scale in zip(members, scales, strict=True)], dim=1)


def _scaled(member: Tensor, scale: float) -> Tensor:
    return member / scale if scale else torch.zeros_like(member)
