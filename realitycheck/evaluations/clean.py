"""`clean`: the embedding of the images as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.evaluations.base import Evaluation
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.embed import embed
from realitycheck.training.embedding_model import EmbeddingModel


class Clean(Evaluation):
    """The embedding of the images as they are."""

    def embed(
        self,
        model: EmbeddingModel,
        store: Store,
        indices: NDArray[np.int64],
        *,
        recipe: Recipe,
        device: torch.device,
        between: Callable[[], None] | None = None,
    ) -> Tensor:
        """(N, D) float32 embeddings of the images at these indices."""
        return embed(model, store, indices, output="embedder", recipe=recipe, device=device, between=between)
