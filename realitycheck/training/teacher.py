"""The key encoder of momentum contrast: a moving average of the model."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Need
from realitycheck.training.embedding_model import EmbeddingModel


class Teacher(nn.Module):
    """A copy of a model with weights that are an exponential moving average of the model's.

    Its BatchNorm layers have their own statistics, in the mode of the recipe (He et al., 2020, section 3.3; without
    their shuffling over devices).

    Args:
        student: the model to average.
        momentum: weight of the old average in a step, in [0, 1).
    """

    def __init__(self, student: EmbeddingModel, *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.model = copy.deepcopy(student).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def follow(self, student: EmbeddingModel) -> None:
        """Update every weight with the student's, in a few kernels of a GPU; with the bits of `lerp_` on a CPU."""
        averages: list[Tensor] = list(self.model.parameters())
        weights: list[Tensor] = list(student.parameters())
        if averages:
            torch._foreach_lerp_(averages, weights, 1 - self.momentum)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return (B, D) embeddings of (B, C, H, W) uint8 images, without a gradient."""
        embeddings: Tensor = self.model(images)
        return embeddings


def teacher_of(model: EmbeddingModel, loss: nn.Module) -> Teacher | None:
    """Build the teacher if the loss needs keys, else return None."""
    if Need.KEYS not in getattr(loss, "needs", ()):
        return None
    momentum = loss.momentum
    assert isinstance(momentum, float), "a loss that needs keys has an attribute `momentum`"
    return Teacher(model, momentum=momentum)
