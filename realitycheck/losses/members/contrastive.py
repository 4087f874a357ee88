"""Contrastive loss as in Musgrave, Belongie and Lim (2020)."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.slopes import hinge_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class Contrastive(SlopedLoss):
    r"""Bring positives closer than `pos_margin` and negatives farther than `neg_margin`.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[d_{ij} - m_p]_+ \;+\; \mathrm{mean}^+_{y_i \neq y_j}\,[m_n - d_{ij}]_+$$

    d is the Euclidean distance of L2-normalised embeddings, and mean⁺ the mean over the terms above 0. This is the
    form compared by Musgrave, Belongie and Lim (2020); Hadsell, Chopra and LeCun (2006) square the hinges and average
    over all pairs.

    Args:
        pos_margin: m_p, distance below which positives do not contribute; values below 0 act like 0.
        neg_margin: m_n, distance above which negatives do not contribute; distances are at most 2.
    """

    measure = Measure.DISTANCE

    def __init__(self, *, pos_margin: float, neg_margin: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        pull, farther = hinge_mean(distance - self.pos_margin, positive)
        push, closer = hinge_mean(self.neg_margin - distance, negative)
        return Sloped(pull + push, farther - closer)
