"""The optimisation landscape of a loss with class vectors, and the plane of similarities of a loss on pairs.

Values and gradients are those of the loss itself, by autograd, at one point after another: no formula is drawn by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from realitycheck.errors import InputError
from realitycheck.losses.drawn_fields import Floats, Landscape, SimilarityPlane

STEPS, SHRINKS = 200, 0.965
"""Of a descent: how many steps, and how much shorter each is than the one before."""


def landscape(loss: nn.Module, *, classes: int, extent: float, points: int) -> Landscape:
    """The loss of one embedding of class 0, with the class vectors on the unit circle.

    Args:
        loss: for embeddings (B, 2), with one or several vectors for each class; all vectors of a class are put in one
            place, and a bias is 0.
        classes: C; the first vector is at angle 180°, the others follow at equal angles.
        extent: the grid reaches from -extent to extent.
        points: G, of the grid in each direction.

    Raises:
        InputError: the loss has no vectors in the plane.
    """
    angles = math.pi - 2 * math.pi * torch.arange(classes) / classes
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    _place(loss, vectors)
    loss.eval()

    def at(place: Tensor) -> Tensor:
        value: Tensor = loss(place[None], torch.zeros(1, dtype=torch.int64))
        return value

    axis = torch.linspace(-extent, extent, points)
    values, slopes = _on_grid(at, _pairs(axis), points)
    ends = _descents(_slopes_of(loss, at), extent)
    return Landscape(axis.double().numpy(), values, slopes, vectors.double().numpy(), _different(ends, extent))


def similarity_plane(loss: nn.Module, *, low: float, points: int) -> SimilarityPlane:
    """The loss of two images of one class with similarity s_p, and one of another class at s_n to both.

    Args:
        loss: for embeddings (3, 3).
        low: the least similarity of the grid; the largest is 1.
        points: G, of the grid in each direction.
    """
    loss.eval()
    labels = torch.tensor([0, 0, 1])

    def at(place: Tensor) -> Tensor:
        value: Tensor = loss(_three(place[0], place[1]), labels)
        return value

    axis = torch.linspace(low, 0.995, points)
    every = _pairs(axis)  # (s_n, s_p)
    values, slopes = _on_grid(at, every, points)
    possible = (every[:, 0].abs() < ((1 + every[:, 1]) / 2).sqrt()).reshape(points, points).numpy()
    return SimilarityPlane(
        axis.double().numpy(), np.where(possible, values, np.nan), np.where(possible[:, :, None], slopes, np.nan)
    )


def _pairs(axis: Tensor) -> Tensor:
    """(G · G, 2) points of a grid, row by row."""
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)


def _three(negative: Tensor, positive: Tensor) -> Tensor:
    """(3, 3) unit vectors: two with the one similarity, and a third with the other to both."""
    half, zero = ((1 + positive) / 2).sqrt(), torch.zeros(())
    side = (1 - half.square()).clamp_min(1e-12).sqrt()
    along = negative / half
    up = (1 - along.square()).clamp_min(1e-12).sqrt()
    rows = [torch.stack([half, side, zero]), torch.stack([half, -side, zero]), torch.stack([along, zero, up])]
    return torch.stack(rows)


def _place(loss: nn.Module, vectors: Tensor) -> None:
    """Put the vectors of each class in their place, those with several for a class next to one another in rows."""
    placed = False
    with torch.no_grad():
        for name, parameter in loss.named_parameters():
            if parameter.dim() == 2 and parameter.shape[1] == 2 and len(parameter) % len(vectors) == 0:
                parameter.copy_(vectors.repeat_interleave(len(parameter) // len(vectors), dim=0))
                placed = True
            elif name == "bias":
                parameter.zero_()
    if not placed:
        says = "it learns no vector of a class in the plane, which is not allowed here. Choose another loss."
        raise InputError.one("picture", "picture-without-vectors", says, where="loss")


def _on_grid(at: Callable[[Tensor], Tensor], every: Tensor, points: int) -> tuple[Floats, Floats]:
    """(G, G) values and (G, G, 2) gradients."""
    pairs = [_slope(at, place) for place in every]
    values = np.array([value for value, _ in pairs], dtype=np.float64).reshape(points, points)
    slopes = np.array([slope.tolist() for _, slope in pairs], dtype=np.float64).reshape(points, points, 2)
    return values, slopes


def _slope(at: Callable[[Tensor], Tensor], place: Tensor) -> tuple[float, Tensor]:
    """The value and the gradient at a place; a constant has the gradient 0."""
    free = place.clone().requires_grad_()
    value = at(free)
    if not value.requires_grad:
        return float(value), torch.zeros_like(place)
    (slope,) = torch.autograd.grad(value, free)
    return float(value.detach()), slope


def _slopes_of(loss: nn.Module, at: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The gradient at (N, 2) places: of one batch where the loss is a mean over its embeddings, else one by one."""

    def one_by_one(places: Tensor) -> Tensor:
        return torch.stack([_slope(at, place)[1] for place in places])

    def together(places: Tensor) -> Tensor:
        free = places.clone().requires_grad_()
        value = loss(free, torch.zeros(len(places), dtype=torch.int64))
        return torch.autograd.grad(value, free)[0] * len(places) if value.requires_grad else torch.zeros_like(places)

    probe = torch.tensor([[0.3, -0.4], [-1.7, 0.2], [0.9, 1.1]])
    is_mean = torch.allclose(together(probe), one_by_one(probe), rtol=1e-3, atol=1e-6)
    return together if is_mean else one_by_one


def _descents(slopes: Callable[[Tensor], Tensor], extent: float) -> list[Tensor]:
    """Where nine descents end inside of the grid, along the mean gradient of four points around a place.

    A minimum may be on a ring at which the gradient jumps: there the mean has the direction along the ring alone. Step
    and distance of the four points shrink together.
    """
    starts = [(x, y + 0.02) for x in (-0.61, 0.03, 0.57) for y in (-0.61, 0.03, 0.57)]  # off the axes of symmetry
    places = extent * torch.tensor(starts)
    around = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    for step in range(STEPS):
        radius = 0.1 * extent * SHRINKS**step
        field = slopes((places[:, None] + radius * around).reshape(-1, 2)).reshape(-1, 4, 2).nan_to_num()
        largest = field.norm(dim=2).amax(dim=1, keepdim=True).clamp_min(1e-12)
        places = places - radius * field.mean(dim=1) / largest
    return [place for place in places if place.abs().max() < extent]


def _different(ends: list[Tensor], extent: float) -> Floats:
    """(M, 2) ends that are apart from one another."""
    kept: list[Tensor] = []
    for end in ends:
        if all((end - other).norm() > 0.05 * extent for other in kept):
            kept.append(end)
    return torch.stack(kept).double().numpy() if kept else np.zeros((0, 2))
