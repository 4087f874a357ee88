"""Losses on pairs with a written gradient, computed beside the value in one node of autograd's graph.

At B = 32 the time of a step is that of calling operations: autograd's record of the same formula takes several times as
long. The gradients are those of the formula; tests compare them with autograd and with finite differences.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from realitycheck.losses.parts.pair_distances import SMALLEST, SMALLEST_SQUARE
from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.proxies import LEAST_LENGTH


class Measure(StrEnum):
    """What a loss reads of a pair: the cosine similarity, or the Euclidean distance, computed in float64."""

    COSINE = "cosine"
    DISTANCE = "distance"


class Sloped(NamedTuple):
    """A value and its derivatives.

    Args:
        value: scalar.
        slope: (B, M) derivative by the similarity or distance of each pair.
        learned: derivatives by the learned tensors of the formula, in their order.
    """

    value: Tensor
    slope: Tensor
    learned: tuple[Tensor, ...] = ()


Formula = Callable[[Tensor, Tensor, Tensor], Sloped]
"""Called as `SlopedLoss.sloped`: with a (B, M) matrix, and its masks of positives and negatives."""


class SlopedLoss(PairLoss):
    """Base class of a loss that is a formula of the similarities or distances of pairs.

    Attributes:
        measure: what the formula reads of a pair.
        normalized: whether embeddings are L2-normalised before.
    """

    measure: ClassVar[Measure]
    normalized: ClassVar[bool] = True

    @abstractmethod
    def sloped(self, matrix: Tensor, positive: Tensor, negative: Tensor, /) -> Sloped:
        """Return the value of (B, M) similarities or distances, and its derivative by each.

        Args:
            matrix: (B, M), not to be changed.
            positive: (B, M) 1 for pairs of one class, without pairs of an item with itself, else 0.
            negative: (B, M) 1 for pairs of two classes, else 0. A pair can be in neither mask.
        """

    def learned(self) -> tuple[Tensor, ...]:
        """Return the learned tensors of the formula: by default none."""
        return ()

    def points(self, embeddings: Tensor) -> Tensor:
        """Return the (B, D) points to compare."""
        return super().points(embeddings) if self.normalized else embeddings

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,)."""
        return of_batch(
            embeddings, labels, self.sloped, measure=self.measure, normalized=self.normalized, learned=self.learned()
        )

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        learned = self.learned()
        with torch.no_grad():
            a, b = _wide(anchors), _wide(others)
            wide, matrix = _compared(a, b, self.measure)
            value, slope, to_learned = self.sloped(matrix, positive.to(a.dtype), negative.to(a.dtype))
            b = b.to(wide.dtype)
            gradients = [_to_points(slope, matrix, wide, b, self.measure)]
            if others.requires_grad:
                gradients.append(_to_points(slope.T, matrix.T, b, wide, self.measure))
        inputs = (anchors, others)[: len(gradients)]
        return known(value.to(anchors.dtype), (*inputs, *learned), (*gradients, *to_learned))


def of_batch(
    embeddings: Tensor,
    labels: Tensor,
    formula: Formula,
    *,
    measure: Measure,
    normalized: bool,
    learned: tuple[Tensor, ...],
) -> Tensor:
    """Return the loss of the pairs of a batch.

    Args:
        embeddings: (B, D).
        labels: (B,).
        formula: the loss of a matrix.
        measure: what the formula reads of a pair.
        normalized: whether embeddings are L2-normalised before.
        learned: tensors by which the formula returns a derivative.
    """
    with torch.no_grad():
        points = _wide(embeddings)
        length = points.norm(dim=1, keepdim=True).clamp_min_(LEAST_LENGTH) if normalized else None
        points = points if length is None else points / length
        wide, matrix = _compared(points, None, measure)
        value, slope, to_learned = formula(matrix, *_masks(labels, like=matrix))
        gradient = _to_points(slope + slope.T, matrix, wide, wide, measure).to(points.dtype)
        if length is not None:  # without the part along the point, which the normalisation takes away
            gradient.addcmul_(points, (gradient * points).sum(dim=1, keepdim=True), value=-1).div_(length)
    return known(value.to(embeddings.dtype), (embeddings, *learned), (gradient, *to_learned))


def _wide(points: Tensor) -> Tensor:
    return points.to(torch.promote_types(points.dtype, torch.float32))


def _compared(anchors: Tensor, others: Tensor | None, measure: Measure) -> tuple[Tensor, Tensor]:
    """Return the anchors in the precision of the products, and the (B, M) similarities or distances."""
    if measure is Measure.COSINE:
        return anchors, anchors @ (anchors if others is None else others).T
    a = anchors.double()
    b = a if others is None else others.double()
    squares = (a * a).sum(dim=1)
    other_squares = squares if others is None else (b * b).sum(dim=1)
    square = torch.addmm(other_squares, a, b.T, alpha=-2).add_(squares[:, None])
    return a, square.clamp_min_(SMALLEST_SQUARE).to(anchors.dtype).sqrt_()


def _to_points(slope: Tensor, matrix: Tensor, anchors: Tensor, others: Tensor, measure: Measure) -> Tensor:
    """Return the (B, D) gradient of the anchors."""
    if measure is Measure.COSINE:
        return slope @ others
    weight = (slope / matrix).mul_(matrix > SMALLEST).to(anchors.dtype)
    return (anchors * weight.sum(dim=1, keepdim=True)).addmm_(weight, others, alpha=-1)


def known(value: Tensor, inputs: tuple[Tensor, ...], gradients: tuple[Tensor, ...]) -> Tensor:
    """Return the scalar value as a function of the inputs with these gradients. Differentiable once."""
    return _Known.apply(value, len(inputs), *inputs, *gradients)  # type: ignore[no-any-return]


class _Known(Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, count: int, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors[count:])
        ctx.types = [tensor.dtype for tensor in tensors[:count]]
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.saved_tensors
        scaled = (gradient.mul(slope).to(dtype) for gradient, dtype in zip(gradients, ctx.types, strict=True))
        return (None, None, *scaled, *(None for _ in gradients))


def _masks(labels: Tensor, *, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return (B, B) 0 and 1 for pairs of one class without the item itself, and for pairs of two classes."""
    same = (labels[:, None] == labels[None, :]).to(like.dtype)
    return same.clone().fill_diagonal_(0), 1 - same
