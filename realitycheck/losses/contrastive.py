"""Contrastive loss, in the form of the original reality check."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.pairs import distances, mean_nonzero, pair_masks


class Contrastive(Loss):
    """Pull positives nearer than `pos_margin`, push negatives farther than `neg_margin`.

    `mean [d_p − pos_margin]₊ + mean [neg_margin − d_n]₊` with d the Euclidean distance of L2-normalised
    embeddings, each mean over its non-zero terms. After Hadsell, Chopra and LeCun (2006), who square the
    hinges and take all pairs; this is the form that Musgrave, Belongie and Lim (2020) compared.

    Args:
        pos_margin: distance under which positives are left alone; below 0 it has no effect beyond that of 0.
        neg_margin: distance over which negatives are left alone; distances end at 2.
    """

    def __init__(self, *, pos_margin: float, neg_margin: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        distance = distances(embeddings)  # (B, B)
        positive, negative = pair_masks(labels)
        pull = mean_nonzero((distance - self.pos_margin).relu(), positive)
        push = mean_nonzero((self.neg_margin - distance).relu(), negative)
        return pull + push
