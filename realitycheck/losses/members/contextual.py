"""Contextual loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import mean_nonzero, pair_masks

SLOPE = 10.0
"""Of the step's gradient, whose value is 0 or 1."""


class Contextual(Loss):
    r"""Items of one class shall have the same neighbours in the batch, those of two classes different ones.

    $$L = \frac{\lambda}{B^2} \sum_{i \neq j} (1[y_i = y_j] - J_{ij})^2 + \gamma (\bar{s} - \tau)^2
    + (1 - \lambda - \gamma) \left( \mathrm{mean}^+_{y_i = y_j} [m_p - s_{ij}]_+
    + \mathrm{mean}^+_{y_i \neq y_j} [s_{ij} - m_n]_+ \right)$$

    s is the cosine similarity, s̄ its mean over all pairs, an item with itself included, and mean⁺ the mean over the
    terms above 0. J is the contextual similarity: N_i are the items whose squared distance from i is at most that of
    its k-th nearest plus ε, i itself being the first; w_ij = ½ (|N_i ∩ N_j| / |N_i| + |N̄_i ∩ N̄_j| / |N̄_i|), N̄ the
    others, for j in N_i, 0 otherwise; J is the mean of w over those items that are mutually among the nearest k/2 (plus
    ε), made symmetric. Whether an item is a neighbour is a step, 0 or 1; its gradient is 10 times that of the negative
    squared distance, none through the k-th nearest, |N| and |N̄|. Liao, Tsiligkaridis and Kulis (2023), by the authors'
    code for 256 pixels (Chris210634/metric-learning-using-contextual-similarity); their code for 224 pixels gives λ the
    opposite meaning. k is the number of items of i's class in the batch, which the paper makes it and the code writes
    as 4: it needs no knob that a batch could contradict. A batch of neighbours alone, where the code divides by
    |N̄| = 0, has 0 there.

    Args:
        context_weight: λ, from 0.
        mean_weight: γ, from 0; λ + γ is below 1.
        mean_similarity: τ, what the mean similarity is held to.
        epsilon: ε, from 0, in squared distance.
        pos_margin: m_p, similarity over which positives are left alone.
        neg_margin: m_n, similarity under which negatives are left alone.
    """

    def __init__(
        self,
        *,
        context_weight: float,
        mean_weight: float,
        mean_similarity: float,
        epsilon: float,
        pos_margin: float,
        neg_margin: float,
    ) -> None:
        super().__init__()
        self.context_weight = context_weight
        self.mean_weight = mean_weight
        self.mean_similarity = mean_similarity
        self.epsilon = epsilon
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        unit = functional.normalize(embeddings, dim=1)
        similarity = unit @ unit.T  # (B, B)
        positive, negative = pair_masks(labels)
        found = contextual_similarity(similarity, positive.sum(dim=1) + 1, epsilon=self.epsilon)
        context = ((positive.to(found.dtype) - found).square() * (positive | negative)).mean()
        pull = mean_nonzero((self.pos_margin - similarity).relu(), positive)
        push = mean_nonzero((similarity - self.neg_margin).relu(), negative)
        level = (similarity.mean() - self.mean_similarity).square()
        rest = 1 - self.context_weight - self.mean_weight
        return self.context_weight * context + self.mean_weight * level + rest * (pull + push)


def contextual_similarity(similarity: Tensor, neighbors: Tensor, *, epsilon: float) -> Tensor:
    """(B, B) how far two items agree in their nearest (B,) items, from (B, B) cosine similarities."""
    itself = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    nearness = -(2 - 2 * similarity).clamp_min(0).masked_fill(itself, 0)
    near = among_nearest(nearness, neighbors, epsilon=epsilon)
    shared = (near @ near.T) / near.sum(dim=1, keepdim=True).detach()
    far = 1 - near
    left_out = (far @ far.T) / far.sum(dim=1, keepdim=True).detach().clamp_min(1)
    half = among_nearest(nearness, (neighbors // 2).clamp_min(1), epsilon=epsilon)
    mutual = half * half.T
    agreed = mutual @ ((shared + left_out) / 2 * near) / mutual.sum(dim=1, keepdim=True)
    return (agreed + agreed.T) / 2


def among_nearest(nearness: Tensor, neighbors: Tensor, *, epsilon: float) -> Tensor:
    """(B, B) 1 where an item is among the (B,) nearest of a row, or ε from it; otherwise 0; the slope is `SLOPE`."""
    fixed = nearness.detach()
    last = fixed.sort(dim=1, descending=True).values.gather(1, neighbors[:, None] - 1)
    return (fixed + epsilon >= last).to(nearness.dtype) + SLOPE * (nearness - fixed)
