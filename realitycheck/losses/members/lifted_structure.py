"""Lifted structure loss, and the base class that it shares with its generalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, masked_logsumexp, mean_where


class Lifted(PairLoss):
    """Base class of losses on distances of unnormalised embeddings with a margin for negatives."""

    # m is subtracted from distances of raw embeddings.
    lengths: ClassVar[Mapping[str, int]] = {"neg_margin": 1}

    def __init__(self, *, neg_margin: float) -> None:
        super().__init__()
        self.neg_margin = neg_margin

    def points(self, embeddings: Tensor) -> Tensor:
        """Return the (B, D) unnormalised embeddings."""
        return embeddings


class LiftedStructure(Lifted):
    r"""Bring every pair of positives closer than all negatives of both items, with a smooth maximum.

    $$L = \frac{1}{2\,|P|} \sum_{(i,j) \in P} [J_{ij}]_+^2 \;,\quad
    J_{ij} = D_{ij} + \log\left( \sum_{y_k \neq y_i} e^{m - D_{ik}} + \sum_{y_l \neq y_j} e^{m - D_{jl}} \right)$$

    D is the Euclidean distance of unnormalised embeddings, and P are the pairs of one class. Song, Xiang, Jegelka and
    Savarese (2016), Eq. 4.

    Args:
        neg_margin: m, distance up to which negatives are repelled, in units of the embeddings.
    """

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        push = self.neg_margin - distance
        of_anchor, of_other = masked_logsumexp(push, negative), masked_logsumexp(push.T, negative.T)
        lifted = distance + torch.logaddexp(of_anchor[:, None], of_other[None, :])
        return mean_where(lifted.relu().square() / 2, positive)
