"""Supervised contrastive loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss, masked_logsumexp, mean_of_anchors

BASE_TEMPERATURE = 0.07
"""Temperature at which the authors' factor T / 0.07 is 1."""


class SupCon(PairLoss):
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

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        logits = anchors @ others.T / self.temperature  # (B, M)
        rest = masked_logsumexp(logits, positive | negative)
        pulled = (logits * positive).sum(dim=1) / positive.sum(dim=1).clamp_min(1)
        return self.temperature / BASE_TEMPERATURE * mean_of_anchors(rest - pulled, positive.any(dim=1))
