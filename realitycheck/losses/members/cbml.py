"""Contrastive Bayesian loss with metric variance."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.members.multi_similarity_mined import mine
from realitycheck.losses.parts.pairs import PairLoss, log_one_plus_sum_exp


class CBML(PairLoss):
    r"""Contrast mined pairs, and reduce the variance of the similarities of negatives.

    $$L = \frac{1}{B} \sum_i \left[ \log\left(1 + \sum_{p \in P_i} e^{-(s_{ip} - a_p) / b_p}\right)
    + \log\left(1 + \sum_{n \in N_i} e^{(s_{in} - a_n) / b_n}\right)
    + w \sum_{y_n \neq y_i} (s_{in} - \mu_i)^2 \right]$$

    s is the cosine similarity, and P_i and N_i are the mined pairs of `multi_similarity_mined`. μ_i is h times the mean
    similarity of all positives plus 1 − h times that of all negatives, with a gradient. An anchor without mined pairs
    contributes 0 and counts in the mean. Kan, He, Cen, Li, Mladenovic and He (2022), the logarithmic form, as in the
    authors' code (kanshichao/CBML). As there, the last term is a sum over all negatives, not only the mined ones, and
    grows with the batch. The code excludes positives more similar than 1 − 1e-5 as the anchor itself; here only the
    anchor is excluded.

    Args:
        pos_base: a_p, similarity at which the term of a positive is 1.
        pos_temperature: b_p, above 0; smaller values give a sharper weighting.
        neg_base: a_n, similarity at which the term of a negative is 1.
        neg_temperature: b_n, above 0; smaller values give a sharper weighting.
        epsilon: margin of mining, as in `multi_similarity_mined`.
        variance_weight: w, at least 0.
        pos_share: h, weight of the positives in μ, in [0, 1].
    """

    def __init__(
        self,
        *,
        pos_base: float,
        pos_temperature: float,
        neg_base: float,
        neg_temperature: float,
        epsilon: float,
        variance_weight: float,
        pos_share: float,
    ) -> None:
        super().__init__()
        self.pos_base = pos_base
        self.pos_temperature = pos_temperature
        self.neg_base = neg_base
        self.neg_temperature = neg_temperature
        self.epsilon = epsilon
        self.variance_weight = variance_weight
        self.pos_share = pos_share

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = anchors @ others.T  # (B, M)
        near, far = mine(similarity.detach(), positive, negative, epsilon=self.epsilon)
        pull = log_one_plus_sum_exp((self.pos_base - similarity) / self.pos_temperature, near)
        push = log_one_plus_sum_exp((similarity - self.neg_base) / self.neg_temperature, far)
        terms = pull + push + self.variance_weight * self._variance(similarity, positive, negative)
        return torch.where(near.any(dim=1) & far.any(dim=1), terms, torch.zeros_like(terms)).mean()

    def _variance(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        middle = self.pos_share * row_mean(similarity, positive)
        middle = middle + (1 - self.pos_share) * row_mean(similarity, negative)
        return ((similarity - middle[:, None]).square() * negative).sum(dim=1)


def row_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the (B,) mean of each row of (B, M) values under the mask; 0 for empty rows."""
    return (values * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1)
