"""What an evaluation is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.embedding_model import EmbeddingModel


class Evaluation(ABC):
    """One way to embed images with a finished model."""

    @abstractmethod
    def embed(
        self,
        model: EmbeddingModel,
        store: Store,
        indices: NDArray[np.int64],
        *,
        recipe: Recipe,
        device: torch.device,
    ) -> Tensor:
        """(N, D) float32 embeddings of the images at these indices."""
