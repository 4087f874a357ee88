"""Contrastive loss, in the form of the original reality check."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pair_distances import recorded_distances
from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero


class Contrastive(PairLoss):
    r"""Pull positives nearer than `pos_margin`, push negatives farther than `neg_margin`.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[d_{ij} - m_p]_+ \;+\; \mathrm{mean}^+_{y_i \neq y_j}\,[m_n - d_{ij}]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0. The form that
    Musgrave, Belongie and Lim (2020) compared; Hadsell, Chopra and LeCun (2006) square the hinges and take all pairs.

    Args:
        pos_margin: m_p, distance under which positives are left alone; below 0 it has no effect beyond that of 0.
        neg_margin: m_n, distance over which negatives are left alone; distances end at 2.
    """

    def __init__(self, *, pos_margin: float, neg_margin: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        distance = recorded_distances(anchors, others)  # (B, M)
        pull = mean_nonzero((distance - self.pos_margin).relu(), positive)
        push = mean_nonzero((self.neg_margin - distance).relu(), negative)
        return pull + push
