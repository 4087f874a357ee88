"""Selection and ordering of low values in tables; NumPy is used on the CPU where it is faster than torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def by_numpy(values: Tensor) -> bool:
    """Return whether NumPy works on these values; tests replace it to run on a CPU what a GPU does."""
    return values.device.type == "cpu"


def kth_lowest(values: Tensor, k: int) -> Tensor:
    """Return the (n,) k-th lowest values of the rows of an (n, w) table; k counts from 1."""
    if by_numpy(values):  # NumPy's vectorised quickselect takes a tenth of the time of topk
        return torch.from_numpy(np.partition(values.numpy(), k - 1, axis=1)[:, k - 1].copy())
    return values.topk(k, dim=1, largest=False, sorted=False).values.amax(1)


def below(table: Tensor, limit: Tensor) -> Tensor:
    """Return the ascending flat positions of an (n, w) table's values that are at most `limit`, which broadcasts."""
    if by_numpy(table):  # torch takes four times as long
        return torch.from_numpy(np.flatnonzero(np.less_equal(table.numpy(), limit.numpy())))
    return (table <= limit).flatten().nonzero().flatten()


def order_by(*keys: Tensor) -> Tensor:
    """Return the (P,) permutation that sorts by the first key, then by the second, and so on."""
    order = keys[-1].argsort(stable=True)
    for key in reversed(keys[:-1]):
        order = order[key[order].argsort(stable=True)]
    return order


def in_order(values: Tensor) -> Tensor:
    """Return (P,) integers in ascending order; on the CPU they are sorted in place."""
    if by_numpy(values):  # NumPy's vectorised sort takes half of the time
        values.numpy().sort()
        return values
    return values.sort().values


def places(mask: Tensor) -> Tensor:
    """Return the ascending positions of the true values of a (P,) mask."""
    if by_numpy(mask):  # torch takes five times as long
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero().flatten()


def taken(values: Tensor, where: Tensor) -> Tensor:
    """Return the values at positions of any shape; `index_select` takes a ninth of the time of an index."""
    return values.index_select(0, where.flatten()).view(where.shape)
