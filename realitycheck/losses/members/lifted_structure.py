"""Lifted structure loss, and the base class that it shares with its generalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from realitycheck.losses.parts.slopes import log_sum_exp
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class Lifted(SlopedLoss):
    """Base class of losses on distances of unnormalised embeddings with a margin for negatives."""

    # m is subtracted from distances of raw embeddings.
    lengths: ClassVar[Mapping[str, int]] = {"neg_margin": 1}
    measure = Measure.DISTANCE
    normalized = False

    def __init__(self, *, neg_margin: float) -> None:
        super().__init__()
        self.neg_margin = neg_margin


class LiftedStructure(Lifted):
    r"""Bring every pair of positives closer than all negatives of both items, with a smooth maximum.

    $$L = \frac{1}{2\,|P|} \sum_{(i,j) \in P} [J_{ij}]_+^2 \;,\quad
    J_{ij} = D_{ij} + \log\left( \sum_{y_k \neq y_i} e^{m - D_{ik}} + \sum_{y_l \neq y_j} e^{m - D_{jl}} \right)$$

    D is the Euclidean distance of unnormalised embeddings, and P are the pairs of one class. Song, Xiang, Jegelka and
    Savarese (2016), Eq. 4.

    Args:
        neg_margin: m, distance up to which negatives are repelled, in units of the embeddings.
    """

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        push = self.neg_margin - distance
        of_other, at_other = log_sum_exp(push.T.clone(), negative.T)  # (M, 1) and (M, B)
        of_anchor, at_anchor = log_sum_exp(push, negative)
        both = torch.logaddexp(of_anchor, of_other.T)
        lifted = (distance + both).relu_().mul_(positive)
        pairs = positive.sum().clamp_min_(1)
        slope = lifted / pairs
        to_anchor = (slope * (of_anchor - both).exp_()).sum(dim=1, keepdim=True)
        to_other = (slope * (of_other.T - both).exp_()).sum(dim=0)[:, None]
        value = lifted.square().sum() / (2 * pairs)
        return Sloped(value, slope - at_anchor.mul_(to_anchor) - at_other.mul_(to_other).T)
