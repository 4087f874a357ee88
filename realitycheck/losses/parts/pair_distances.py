"""Euclidean distances of points, with explicit gradients: those of autograd take five times the memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SMALLEST_SQUARE = 1e-12
"""Lower bound on squared distances, because the square root has no finite derivative at 0."""

SMALLEST: float = SMALLEST_SQUARE**0.5


def distances(anchors: Tensor, others: Tensor) -> Tensor:
    """Return the (B, M) Euclidean distances of (B, D) and (M, D) points, at least 1e-6.

    They are computed by products in float64, in O(B·M) memory. The float32 formula `2 - 2·cos` would lose half the
    digits for close points. Differentiable once.
    """
    return _ByProducts.apply(anchors, None if anchors is others else others)  # type: ignore[no-any-return]


class _ByProducts(Function):
    """Distances between two sets of points, or within one set if `others` is None."""

    @staticmethod
    def forward(ctx: Any, anchors: Tensor, others: Tensor | None) -> Tensor:
        a = anchors.double()
        b = a if others is None else others.double()
        square = torch.addmm(_squares(b), a, b.T, alpha=-2).add_(_squares(a)[:, None])
        wide = torch.promote_types(anchors.dtype, torch.float32)
        distance = square.clamp_min_(SMALLEST_SQUARE).to(wide).sqrt_().to(anchors.dtype)
        ctx.save_for_backward(a, None if others is None else b, distance)
        return distance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor | None]:
        a, b, distance = ctx.saved_tensors
        weight = _weight(slope, distance)
        if b is None:  # one product gives both parts of the gradient
            return _weighted_sum(a, a, weight + weight.T).to(slope.dtype), None
        return _weighted_sum(a, b, weight).to(slope.dtype), _weighted_sum(b, a, weight.T).to(slope.dtype)


def _squares(points: Tensor) -> Tensor:
    return points.square().sum(dim=1)


def _weighted_sum(anchors: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    """Return (B, D) Σ w·(a - b) over others in float64, for weights w (B, M)."""
    wide = weight.double()
    return (anchors * wide.sum(dim=1, keepdim=True)).addmm_(wide, others, alpha=-1)


def _weight(slope: Tensor, distance: Tensor) -> Tensor:
    """Return (B, M) weights w of the gradient w·(a - b) of each pair; 0 where the distance is at its lower bound.

    Computed in float32 at least, because 1 / 1e-6 overflows in half precision.
    """
    wide = torch.promote_types(slope.dtype, torch.float32)
    above_bound = (distance > SMALLEST).to(wide)
    return slope.to(wide) / distance.to(wide).clamp_min(SMALLEST) * above_bound
