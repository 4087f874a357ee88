"""`foundation:<label>-<digest>`: the features of a frozen model, for reference; no model of the study takes part."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.evaluations.base import Evaluation
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.features import FeatureStore
from realitycheck.training.embedding_model import EmbeddingModel


class FoundationFeatures(Evaluation):
    """The features of a frozen foundation model, whatever model of the study is scored.

    The store at the place of the test half holds the features of its images.
    """

    reads_trainval: ClassVar[bool] = False

    def require(self, store: Store, *, test: str) -> None:
        """Check that a store holds features; they are those of the same classes and images by its place.

        Raises:
            RunError: it holds pixels.
        """
        if not isinstance(store, FeatureStore):
            raise RunError(f"the store holds no features of foundation:{self.options}; `run` the study again.")

    def norm(
        self,
        model: EmbeddingModel,
        store: Store,
        indices: NDArray[np.int64],
        *,
        recipe: Recipe,
        device: torch.device,
        between: Callable[[], None] | None = None,
    ) -> float:
        """1: features of training images are not computed, and a single model is never joined to another."""
        return 1.0

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
        """(N, F) float32 features of the images at these indices."""
        return store.plain(indices, recipe=recipe, device=device)
