"""Recall@k surrogate loss."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.ranking import mean_over_queries, similarities, soft_ranks


class RecallAtK(PairLoss):
    r"""Recall at 1, 2, 4, 8 and 16, with sigmoids in place of the two step functions of ranks and recall.

    $$L = 1 - \frac{1}{5 Q} \sum_i \sum_k \frac{\min(k,\, \sum_{j \in P_i} \sigma((k - r_{ij}) / \tau_2))}
    {\min(k,\, N_i^+)} \qquad r_{ij} = 1 + \sum_{l \neq i,j} \sigma((s_{il} - s_{ij}) / \tau_1)$$

    s is the cosine similarity, P the positives of query i, N⁺ their number, l any item. Q is the number of queries with
    a positive. An item at rank k counts one half, so that the loss of perfect ranks is not 0. A k above the B items of
    the batch acts like B. Patel, Tolias and Matas (2022), section 3. The query is not ranked, as in the paper; the
    released code ranks it, so that every r is larger by about 1. SiMix is not included, because the number of its
    virtual items, the pairs of a class, depends on the labels. Memory O(B³), and O(B·M²) against M others.

    Args:
        rank_temperature: τ_1, above 0; smaller values are closer to the true ranks.
        recall_temperature: τ_2, above 0, in ranks; smaller values give a sharper threshold at k.
    """

    def __init__(self, *, rank_temperature: float, recall_temperature: float) -> None:
        super().__init__()
        self.rank_temperature = rank_temperature
        self.recall_temperature = recall_temperature

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = similarities(anchors, others)  # (B, M)
        (ranks,) = soft_ranks(similarity, positive | negative, temperature=self.rank_temperature)
        cutoffs = (2 ** torch.arange(5, device=ranks.device)).clamp_max(len(others))  # 1, 2, 4, 8, 16
        within = ((cutoffs - ranks[:, :, None]) / self.recall_temperature).sigmoid()  # (B, M, 5)
        hits = torch.where(positive[:, :, None], within, torch.zeros_like(within)).sum(dim=1)
        possible = positive.sum(dim=1, keepdim=True).clamp_min(1)
        recall = torch.minimum(hits, cutoffs) / torch.minimum(possible, cutoffs)  # (B, 5)
        return mean_over_queries(1 - recall.mean(dim=1), positive)
