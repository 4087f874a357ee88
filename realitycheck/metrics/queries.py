"""Queries: the items with at least one other item of their class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import InputError

SOURCE = "retrieval scores"


def as_tensor(values: Tensor | NDArray[Any]) -> Tensor:
    """Return a tensor unchanged, and an array as a contiguous copy."""
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values, order="C"))


def classes(embeddings: Tensor, labels: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (N,) class indices, numbered from 0 in the order of the labels, and (N,) numbers of other members.

    Raises:
        InputError: if the labels are not one integer per row, or no two items share a class.
    """
    _check(embeddings, labels)
    _, class_index, sizes = np.unique(labels.cpu().numpy(), return_inverse=True, return_counts=True)
    if not (sizes > 1).any():
        says = "no two items share a class; add items."
        raise InputError.one(SOURCE, "labels-without-pairs", says, where="labels")
    return class_index, (sizes - 1)[class_index]


def _check(embeddings: Tensor, labels: Tensor) -> None:
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        says = f"expected integers, got {labels.dtype}."
        raise InputError.one(SOURCE, "labels-type", says, where="labels")
    if labels.dim() != 1 or labels.shape != embeddings.shape[:1]:
        says = f"expected one label per row of embeddings {tuple(embeddings.shape)}, got {tuple(labels.shape)}."
        raise InputError.one(SOURCE, "labels-shape", says, where="labels")


def largest_k(ks: Sequence[int], *, items: int) -> int:
    """Return the number of neighbours that these k need: the largest k, at most all other items.

    Raises:
        InputError: if `ks` is empty, or a k is below 1.
    """
    if not ks or min(ks) < 1:
        raise InputError.one("metrics", "k-range", f"{list(ks)} out of range: each k must be at least 1.", where="ks")
    return min(max(ks), items - 1)
