"""Normalised temperature-scaled cross entropy (NT-Xent) over pairs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.slopes import log_sum_exp, masked_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class NTXent(SlopedLoss):
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

    measure = Measure.COSINE

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        logits = similarity / self.temperature
        against, at_negative = log_sum_exp(logits.clone(), negative)
        excess = against - logits
        value, share = masked_mean(functional.softplus(excess), positive)
        pulled = excess.sigmoid_().mul_(share)
        slope = at_negative.mul_(pulled.sum(dim=1, keepdim=True)).sub_(pulled)
        return Sloped(value, slope.div_(self.temperature))
