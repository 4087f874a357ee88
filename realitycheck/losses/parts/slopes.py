"""Values of parts of a loss together with their derivatives, as plain tensors; used by losses with a written gradient.

Masks are 0 and 1 in the type of the values: on a CPU, a product with a bool mask takes six times as long.
"""

from __future__ import annotations

import torch
from torch import Tensor


def hinge_mean(excess: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the terms above 0 under the mask, or 0 without any, and its (B, M) derivative.

    `excess` (B, M) is overwritten.
    """
    above = excess.mul_(mask).relu_()
    total = above.sum()
    active = above.sign_()
    count = active.sum().clamp_min_(1)
    return total / count, active.div_(count)


def masked_mean(terms: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the finite terms under the mask, or 0 without any, and its derivative.

    Terms and mask are (B, M), or (B, 1) for terms of anchors.
    """
    share = mask / mask.sum().clamp_min_(1)
    return (terms * share).sum(), share


def log_sum_exp(exponents: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return (B, 1) `log Σ e^x` of each row under the mask and its (B, M) derivative.

    A row without entries gets a finite value that is too low to matter, and no derivative. `exponents` is overwritten.
    """
    hidden = _hide(exponents, mask)
    top = hidden.amax(dim=1, keepdim=True)
    powers = hidden.sub_(top).exp_().mul_(mask)
    total = powers.sum(dim=1, keepdim=True).clamp_min_(torch.finfo(powers.dtype).tiny)
    return top + total.log(), powers.div_(total)


def log_one_plus_sum_exp(exponents: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return (B, 1) `log(1 + Σ e^x)` of each row under the mask, 0 without any, and its (B, M) derivative.

    `exponents` is overwritten.
    """
    hidden = _hide(exponents, mask)
    top = hidden.amax(dim=1, keepdim=True).relu_()
    powers = hidden.sub_(top).exp_()
    total = powers.sum(dim=1, keepdim=True).add_(top.neg().exp_())
    return top + total.log(), powers.div_(total)


def largest(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (B, 1) largest value of each row under the mask and its (B, M) derivative, shared by equal values.

    A row without entries gets a very low value; its derivative has no meaning.
    """
    hidden = _hide(values.clone(), mask)
    top = hidden.amax(dim=1, keepdim=True)
    tied = (hidden == top).to(values.dtype)
    return top, tied.div_(tied.sum(dim=1, keepdim=True))


def row_mean(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (B, 1) mean of each row under the mask, 0 for an empty row, and its (B, M) derivative."""
    share = mask / mask.sum(dim=1, keepdim=True).clamp_min_(1)
    return (values * share).sum(dim=1, keepdim=True), share


def has(mask: Tensor) -> Tensor:
    """Return (B, 1) 1 for rows with an entry, else 0."""
    return mask.amax(dim=1, keepdim=True)


def _hide(values: Tensor, mask: Tensor) -> Tensor:
    """Lower, in place, the finite values outside the mask so far that maxima and sums of powers ignore them."""
    return values.add_(mask - 1, alpha=torch.finfo(values.dtype).max / 4)
