"""A copy of the model that follows it slowly: the encoder of the keys of momentum contrast."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Need
from realitycheck.training.model import EmbeddingModel


class Teacher(nn.Module):
    """A model whose weights are the running average of another's.

    Its BatchNorm layers keep statistics of their own, in the mode that the recipe names (He et al., 2020, section 3.3;
    without their shuffling over devices).

    Args:
        student: the model that it follows.
        momentum: what it keeps of its own weights in a step, from 0 to below 1.
    """

    def __init__(self, student: EmbeddingModel, *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.model = copy.deepcopy(student).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def follow(self, student: EmbeddingModel) -> None:
        """Move every weight towards the student's."""
        for own, theirs in zip(self.model.parameters(), student.parameters(), strict=True):
            own.lerp_(theirs, 1 - self.momentum)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """(B, D) embeddings of (B, C, H, W) uint8 images."""
        embeddings: Tensor = self.model(images)
        return embeddings


def teacher_of(model: EmbeddingModel, loss: nn.Module) -> Teacher | None:
    """The teacher that a loss asks for, or None."""
    if Need.KEYS not in getattr(loss, "needs", ()):
        return None
    momentum = loss.momentum
    assert isinstance(momentum, float), "a loss that needs keys has an attribute `momentum`"
    return Teacher(model, momentum=momentum)
