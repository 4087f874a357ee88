"""N-pair loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import hide


class NPair(Loss):
    r"""Tell an image's partner from the partners of all other classes, by the dot product.

    $$L = -\frac{1}{N} \sum_{c} \log \frac{e^{a_c \cdot p_c}}{\sum_{k} e^{a_c \cdot p_k}}
    + \frac{\lambda}{B} \sum_i |x_i|^2$$

    x are the embeddings as they are, a the first and p the second image in the batch of each of its N classes that have
    two. Further images of a class enter the penalty alone. Sohn (2016), section 3.2. The paper's batches
    hold two images per class and no more, and it chooses classes that are hard to tell apart; here the sampler draws
    them. The order of the batch decides which of a class's images form its pair, and which one is the anchor.

    Args:
        l2: λ, weight of the mean squared length, from 0. TensorFlow's `reg_lambda` is twice that.
    """

    def __init__(self, *, l2: float) -> None:
        super().__init__()
        self.l2 = l2

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        anchor, partner, there = _first_two(labels)
        product = embeddings.index_select(0, anchor) @ embeddings.index_select(0, partner).T  # (anchor, partner)
        target = torch.arange(len(there), device=labels.device).masked_fill(~there, -1)
        entropy = functional.cross_entropy(hide(product, there[None]), target, ignore_index=-1, reduction="sum")
        return entropy / there.sum().clamp_min(1) + self.l2 * embeddings.square().sum(dim=1).mean()


def _first_two(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (B // 2,) of the first and of the second image of each class that has two; the third says which hold.

    In the batch sorted by class, a class with two begins at most once at any two neighbouring places.
    """
    order = labels.argsort(stable=True)
    ranked = labels[order]
    again = functional.pad(ranked[1:] == ranked[:-1], (1, 1))  # (B + 1,) of the class of the one before
    begins = (again[1:] & ~again[:-1])[: len(labels) // 2 * 2].view(-1, 2)
    place = 2 * torch.arange(len(begins), device=labels.device) + begins[:, 1]
    return order[place], order[place + 1], begins.any(dim=1)
