"""Contrastive Bayesian loss with metric variance."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.members.multi_similarity_mined import mine
from realitycheck.losses.parts.pairs import PairLoss, log_one_plus_sum_exp


class CBML(PairLoss):
    r"""Contrast mined pairs, and hold the similarities of negatives together.

    $$L = \frac{1}{B} \sum_i \left[ \log\left(1 + \sum_{p \in P_i} e^{-(s_{ip} - a_p) / b_p}\right)
    + \log\left(1 + \sum_{n \in N_i} e^{(s_{in} - a_n) / b_n}\right)
    + w \sum_{y_n \neq y_i} (s_{in} - \mu_i)^2 \right]$$

    s is the cosine similarity, P_i and N_i are the mined pairs of `multi_similarity_mined`, and μ_i is h times the mean
    similarity of all positives plus 1 - h times that of all negatives, with its gradient. An anchor without mined pairs
    adds nothing and counts in the mean. Kan, He, Cen, Li, Mladenovic and He (2022), in the logarithmic form, by the
    authors' code (kanshichao/CBML). As there, the last term is a sum and grows with the batch, and it goes over all
    negatives, not the mined ones. The code takes positives more similar than 1 - 1e-5 for the anchor itself; here, only
    the anchor is left out.

    Args:
        pos_base: a_p, the similarity around which positives count.
        pos_temperature: b_p, above 0; the smaller, the sharper.
        neg_base: a_n, the similarity around which negatives count.
        neg_temperature: b_n, above 0; the smaller, the sharper.
        epsilon: how near pairs of the two kinds must come to be mined.
        variance_weight: w, from 0.
        pos_share: h, the share of the positives in μ, from 0 to 1.
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
        """The loss of anchors (B, D) against others (M, D)."""
        similarity = anchors @ others.T  # (B, M)
        near, far = mine(similarity.detach(), positive, negative, epsilon=self.epsilon)
        pull = log_one_plus_sum_exp((self.pos_base - similarity) / self.pos_temperature, near)
        push = log_one_plus_sum_exp((similarity - self.neg_base) / self.neg_temperature, far)
        terms = pull + push + self.variance_weight * self._spread(similarity, positive, negative)
        return torch.where(near.any(dim=1) & far.any(dim=1), terms, torch.zeros_like(terms)).mean()

    def _spread(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        middle = self.pos_share * row_mean(similarity, positive)
        middle = middle + (1 - self.pos_share) * row_mean(similarity, negative)
        return ((similarity - middle[:, None]).square() * negative).sum(dim=1)


def row_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(B,) mean of each row of (B, M) values under the mask; 0 where the mask is empty."""
    return (values * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1)
