"""A small net with two dimensions, trained until it fits its images: what a loss makes of a plane."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realitycheck.training.class_vectors import class_vectors_of

BATCH = 60
RATE, VECTOR_RATE = 2e-3, 2e-2
"""Of Adam, for the net and for the parameters of the loss."""


@dataclass(frozen=True, slots=True)
class FittedPlane:
    """The (N, 2) embeddings of the images after training, and the (C, 2) class vectors; None where there are none."""

    points: Tensor
    vectors: Tensor | None


def five_layers(*, seed: int) -> nn.Module:
    """Three convolutions and two linear layers for drawings of 28 pixels, as many as in DeMoor and Prevost (2024).

    The layers are of this package; the paper states no widths.
    """
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, padding=2), nn.MaxPool2d(4), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 2)),
    )


@torch.no_grad()
def first_length(net: nn.Module, images: Tensor) -> float:
    """The root mean square norm of the untrained embeddings of (N, 1, 28, 28) images in [0, 1]."""
    return float(net(images).square().sum(dim=1).mean().sqrt())


def fit(net: nn.Module, loss: nn.Module, images: Tensor, labels: Tensor, *, iterations: int, seed: int) -> FittedPlane:
    """Train net and loss on (N, 1, 28, 28) images in [0, 1] with labels (N,) in 0..C-1, then embed them.

    Batches are drawn by the seed, the same for every loss.
    """
    generator = torch.Generator().manual_seed(seed)
    groups = [{"params": list(net.parameters()), "lr": RATE}, {"params": list(loss.parameters()), "lr": VECTOR_RATE}]
    optimizer = torch.optim.Adam([group for group in groups if group["params"]])
    for _ in range(iterations):
        chosen = torch.randperm(len(images), generator=generator)[:BATCH]
        value = loss(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        if value.requires_grad:
            value.backward()
            optimizer.step()
    with torch.no_grad():
        points = net(images)
    vectors = class_vectors_of(loss, classes=int(labels.max()) + 1, dims=2)
    return FittedPlane(points, None if vectors is None else vectors.detach())
