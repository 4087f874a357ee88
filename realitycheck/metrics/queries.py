"""Which items are queries: those with at least one other item of their class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import InputError, Problem


def as_tensor(values: Tensor | NDArray[Any]) -> Tensor:
    """A tensor as it is; an array copied, whatever its order in memory."""
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values, order="C"))


def classes(embeddings: Tensor, labels: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each item's class, numbered from 0 in the order of the labels, and how many others share it.

    Raises:
        InputError: the labels are not one integer per row, or no two items share a class.
    """
    _check(embeddings, labels)
    _, kind, sizes = np.unique(labels.cpu().numpy(), return_inverse=True, return_counts=True)
    if not (sizes > 1).any():
        raise _refusal("must give at least two items one class; here every item is alone in its class.")
    return kind, (sizes - 1)[kind]


def _check(embeddings: Tensor, labels: Tensor) -> None:
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise _refusal(f"must be integers; got {labels.dtype}.")
    if labels.dim() != 1 or labels.shape != embeddings.shape[:1]:
        got = f"{tuple(labels.shape)} for embeddings of {tuple(embeddings.shape)}"
        raise _refusal(f"must be one per row of the embeddings; got {got}.")


def _refusal(says: str) -> InputError:
    return InputError("retrieval scores", [Problem(0, "labels", says)])
