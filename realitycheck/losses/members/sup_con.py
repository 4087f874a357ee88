"""Supervised contrastive loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.slopes import has, log_sum_exp, masked_mean, row_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss

BASE_TEMPERATURE = 0.07
"""Temperature at which the authors' factor T / 0.07 is 1."""


class SupCon(SlopedLoss):
    r"""Distinguish all positives of an anchor from the rest of the batch by the cosine similarity.

    $$L = -\frac{T}{0.07}\, \mathrm{mean}_a\, \frac{1}{|P_a|} \sum_{p \in P_a}
    \log \frac{e^{s_{ap} / T}}{\sum_{i \neq a} e^{s_{ai} / T}}$$

    s is the cosine similarity, and P_a are the positives of a, which are also in the denominator. Khosla et al. (2020),
    Eq. 2, with the factor T/0.07 of the authors' code, which keeps the size of the gradient when T changes. The mean is
    over anchors with a positive. The paper uses two views of each image as anchors; here the images of a class take
    their place.

    Args:
        temperature: T, above 0; with smaller values only the nearest images count.
    """

    measure = Measure.COSINE

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        logits = similarity / self.temperature
        pulled, at_positive = row_mean(logits, positive)
        rest, at_any = log_sum_exp(logits, positive + negative)
        value, share = masked_mean(rest - pulled, has(positive))
        scale = self.temperature / BASE_TEMPERATURE
        return Sloped(scale * value, at_any.sub_(at_positive).mul_(share / BASE_TEMPERATURE))
