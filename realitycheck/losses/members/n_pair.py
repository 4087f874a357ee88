"""N-pair loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import hide


class NPair(Loss):
    r"""Distinguish an image's partner from the partners of all other classes by the dot product.

    $$L = -\frac{1}{N} \sum_{c} \log \frac{e^{a_c \cdot p_c}}{\sum_{k} e^{a_c \cdot p_k}}
    + \frac{\lambda}{B} \sum_i |x_i|^2$$

    x are the unnormalised embeddings, a the first and p the second image in the batch of each of the N classes with at
    least two images. Other images of a class are only in the penalty. Sohn (2016), section 3.2. The paper's batches
    have exactly two images per class, and it selects classes that are hard to distinguish; here batches are random.
    The order of the batch decides which images of a class form the pair, and which one is the anchor.

    Args:
        l2: λ, weight of the mean squared norm, at least 0. TensorFlow's `reg_lambda` is 2 λ.
    """

    # λ weighs a mean squared length, which is added to an entropy.
    lengths: ClassVar[Mapping[str, int]] = {"l2": -2}

    def __init__(self, *, l2: float) -> None:
        super().__init__()
        self.l2 = l2

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,)."""
        anchor, partner, valid = _first_two(labels)
        product = embeddings.index_select(0, anchor) @ embeddings.index_select(0, partner).T  # (anchor, partner)
        target = torch.arange(len(valid), device=labels.device).masked_fill(~valid, -1)
        entropy = functional.cross_entropy(hide(product, valid[None]), target, ignore_index=-1, reduction="sum")
        return entropy / valid.sum().clamp_min(1) + self.l2 * embeddings.square().sum(dim=1).mean()


def _first_two(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (B // 2,) indices of the first and the second image of classes with two images, and a mask of valid ones.

    In the batch sorted by class, at most one class with two images starts at any two adjacent positions.
    """
    order = labels.argsort(stable=True)
    ranked = labels[order]
    repeats = functional.pad(ranked[1:] == ranked[:-1], (1, 1))  # (B + 1,) whether the class equals the previous one
    starts = (repeats[1:] & ~repeats[:-1])[: len(labels) // 2 * 2].view(-1, 2)
    position = 2 * torch.arange(len(starts), device=labels.device) + starts[:, 1]
    return order[position], order[position + 1], starts.any(dim=1)
