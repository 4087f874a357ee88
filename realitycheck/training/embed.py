"""Embed images, and join the embeddings of several models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.device import autocast
from realitycheck.training.embedding_model import EmbeddingModel
from realitycheck.training.evaluation_images import images_in_batches

EVALUATION_BATCH = 500
"""Images per forward pass. Fixed, because kernels and hence results differ by batch size; see `RESULTS_VERSION`."""


@torch.inference_mode()
def embed(
    model: EmbeddingModel,
    store: Store,
    indices: NDArray[np.int64],
    *,
    output: str,
    recipe: Recipe,
    device: torch.device,
    between: Callable[[], None] | None = None,
) -> Tensor:
    """Return (N, D) float32 embeddings of images of a store, or (N, F) features if `output` is `trunk`.

    Args:
        model: the model; its mode is kept.
        store: the images.
        indices: which of them.
        output: `embedder` or `trunk`.
        recipe: how they are seen, and the precision.
        device: where it computes.
        between: called after each batch.
    """
    was_training = model.training
    model.eval()
    forward = model.features if output == "trunk" else model.forward
    parts = []
    with closing(images_in_batches(store, indices, size=EVALUATION_BATCH, recipe=recipe, device=device)) as batches:
        for images in batches:
            with autocast(recipe.computes.precision, device):
                parts.append(forward(images).float())
            if between is not None:
                between()
    model.train(was_training)
    return torch.cat(parts)


def rms_norm(embeddings: Tensor) -> float:
    """Return the root mean square norm of (N, D) embeddings."""
    return float(embeddings.double().square().sum(dim=1).mean().sqrt())


def join(members: Sequence[Tensor], *, distance: str, scales: Sequence[float]) -> Tensor:
    """Concatenate the (N, D) embeddings of K models to (N, sum of D), with equal weight for each model.

    For `cosine` each member is L2-normalised. For `euclidean` it is divided by its entry of `scales`, the RMS norm
    over its training images, so that no member dominates by its norm. A member of scale 0 contributes zeros.
    """
    if distance == "cosine":
        return torch.cat([functional.normalize(member, dim=1) for member in members], dim=1)
    return torch.cat([_scaled(member, scale) for member, scale in zip(members, scales, strict=True)], dim=1)


def _scaled(member: Tensor, scale: float) -> Tensor:
    return member / scale if scale else torch.zeros_like(member)
