"""What an evaluation is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.embed import rms_norm
from realitycheck.training.embedding_model import EmbeddingModel


class Evaluation(ABC):
    """One way to embed images with a finished model, and what is measured beside the scores of every record.

    Args:
        options: what follows the colon in its name, in the form that the menu states; empty without one.
    """

    def __init__(self, options: str) -> None:
        self.options = options

    by_class: ClassVar[bool] = True
    """Whether the classes of the images are those of a dataset, so that records hold the scores of each."""

    reads_trainval: ClassVar[bool] = True
    """Whether `norm` embeds a model's training images."""

    def require(self, store: Store, *, test: str) -> None:
        """Check that a store holds the images that are measured: by default the test half with this digest.

        Raises:
            RunError: it holds other images.
        """
        if store.digest != test:
            raise RunError(f"the store holds other images than the spec asks for ({test[:12]}).")

    def seen(self, test: Store) -> Store:
        """The test half as this evaluation shows it to models; by default as it is."""
        return test

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
        """The RMS norm of the embeddings of a model's own training images, by which joined models get equal weight."""
        return rms_norm(self.embed(model, store, indices, recipe=recipe, device=device, between=between))

    @abstractmethod
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
        """(N, D) float32 embeddings of the images at these indices; `between` is called after each batch."""

    def measured(self, embeddings: Tensor, labels: Tensor, *, distance: str) -> Mapping[str, float]:
        """Further scores of (N, D) embeddings with labels (N,), each in [0, 1], by name; none by default."""
        return {}
