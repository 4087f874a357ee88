"""Contrastive loss on cosine similarities."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.slopes import hinge_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class ContrastiveCosine(SlopedLoss):
    r"""Raise similarities of positives to `pos_margin` and lower those of negatives to `neg_margin`.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[m_p - s_{ij}]_+ \;+\; \mathrm{mean}^+_{y_i \neq y_j}\,[s_{ij} - m_n]_+$$

    s is the cosine similarity, and mean⁺ the mean over the terms above 0. Ramzi, Thome, Rambour, Audebert and Bitot
    (2021), the calibration loss of ROADMAP. The paper divides by the number of pairs; their code, and this
    implementation, divide by the number of terms above 0.

    Args:
        pos_margin: m_p, similarity above which positives do not contribute; values above 1 act like 1.
        neg_margin: m_n, similarity below which negatives do not contribute, in [-1, 1].
    """

    measure = Measure.COSINE

    def __init__(self, *, pos_margin: float, neg_margin: float) -> None:
        super().__init__()
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        pull, lower = hinge_mean(self.pos_margin - similarity, positive)
        push, higher = hinge_mean(similarity - self.neg_margin, negative)
        return Sloped(pull + push, higher - lower)
