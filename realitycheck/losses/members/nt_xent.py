"""Normalised temperature-scaled cross entropy (NT-Xent) over pairs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pairs import PairLoss, masked_logsumexp, mean_where


class NTXent(PairLoss):
    r"""Distinguish each positive of an anchor from all its negatives by the cosine similarity.

    $$L = -\mathrm{mean}_{a,\,p} \log \frac{e^{s_{ap} / T}}{e^{s_{ap} / T} + \sum_{n} e^{s_{an} / T}}$$

    s is the cosine similarity. Chen, Kornblith, Norouzi and Hinton (2020), Eq. 1; van den Oord, Li and Vinyals (2018)
    call it InfoNCE. The papers have two views of each image and one positive. Here every pair of anchor and positive is
    a term, without the anchor's other positives, as in Musgrave, Belongie and Lim (2020). pytorch-metric-learning adds
    a tiny number to the argument of the logarithm, so that a positive has no gradient if it is less similar than a
    negative by more than 87 T; here it has one.

    Args:
        temperature: T, above 0; with smaller values only the nearest negatives count.
    """

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        logits = anchors @ others.T / self.temperature  # (B, M)
        against = masked_logsumexp(logits, negative)
        return mean_where(functional.softplus(against[:, None] - logits), positive)
