"""Euclidean distances of a batch's points, with gradients of our own: autograd's fill five times the memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SMALLEST_SQUARE = 1e-12
"""Below it a squared distance counts as it: the square root has no finite slope at 0."""

SMALLEST: float = SMALLEST_SQUARE**0.5

SMALL = 2**20
"""Up to so many differences B·M·D, results version 1 takes distances by differences."""

AT_ONCE = 2**18
"""So many differences are held at once, a megabyte: memory for more would come from the system at each step."""


def distances(anchors: Tensor, others: Tensor) -> Tensor:
    """(B, M) Euclidean distances of (B, D) and (M, D) points, at least 1e-6.

    By products in float64, in O(B·M) memory, and never by `2 - 2·cos` in float32, which loses half the digits where
    two points nearly agree. Differentiable once.
    """
    return _ByProducts.apply(anchors, None if anchors is others else others)  # type: ignore[no-any-return]


def recorded_distances(anchors: Tensor, others: Tensor) -> Tensor:
    """The same, by differences up to a size: slower, but runs of results version 1 have its bits."""
    if len(anchors) * others.numel() > SMALL:
        return distances(anchors, others)
    return _ByDifferences.apply(anchors, None if anchors is others else others)  # type: ignore[no-any-return]


class _ByDifferences(Function):
    """Of two sets of points, or where `others` is None of one set among itself."""

    @staticmethod
    def forward(ctx: Any, anchors: Tensor, others: Tensor | None) -> Tensor:
        opposite = anchors if others is None else others
        rows = torch.split(anchors, AT_ONCE // max(1, opposite.numel()) or 1)
        square = torch.cat([(some[:, None] - opposite[None, :]).square_().sum(dim=2) for some in rows])
        distance = square.clamp_min_(SMALLEST_SQUARE).sqrt_()
        ctx.save_for_backward(anchors, others, distance)
        return distance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor | None]:
        anchors, others, distance = ctx.saved_tensors
        opposite = anchors if others is None else others
        pull = _pull(slope, distance)[:, :, None]
        dims = _dims_at_once(anchors.shape[1], pairs=distance.numel())
        parts = zip(*(torch.split(each, dims, dim=1) for each in (anchors, opposite)), strict=True)
        sums = [_sums_of_differences(some, across, pull) for some, across in parts]
        one, other = (torch.cat(each, dim=1) for each in zip(*sums, strict=True))
        return (one - other, None) if others is None else (one, -other)


def _dims_at_once(dims: int, *, pairs: int) -> int:
    """Whole steps of the kernels, or all dims: else a narrow last part is summed in another order."""
    return max(32, AT_ONCE // max(1, pairs) // 32 * 32) if dims % 32 == 0 else dims


def _sums_of_differences(anchors: Tensor, others: Tensor, pull: Tensor) -> tuple[Tensor, Tensor]:
    """Σ w·(a - b) over others (B, D) and over anchors (M, D), of a pull w (B, M, 1)."""
    pulled = (anchors[:, None] - others[None, :]).mul_(pull)
    return pulled.sum(dim=1), pulled.sum(dim=0)


class _ByProducts(Function):
    """Of two sets of points, or where `others` is None of one set among itself."""

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
        pull = _pull(slope, distance)
        if b is None:  # both parts of the gradient by one product
            return _towards(a, a, pull + pull.T).to(slope.dtype), None
        return _towards(a, b, pull).to(slope.dtype), _towards(b, a, pull.T).to(slope.dtype)


def _squares(points: Tensor) -> Tensor:
    return points.square().sum(dim=1)


def _towards(anchors: Tensor, others: Tensor, pull: Tensor) -> Tensor:
    """(B, D) Σ w·(a - b) over others in float64, of a pull w (B, M)."""
    wide = pull.double()
    return (anchors * wide.sum(dim=1, keepdim=True)).addmm_(wide, others, alpha=-1)


def _pull(slope: Tensor, distance: Tensor) -> Tensor:
    """(B, M) w of the gradient w·(a - b) of each pair: none where the distance stands at its floor.

    In float32 at least: half precision has no room for 1 / 1e-6.
    """
    wide = torch.promote_types(slope.dtype, torch.float32)
    there = (distance > SMALLEST).to(wide)
    return slope.to(wide) / distance.to(wide).clamp_min(SMALLEST) * there
