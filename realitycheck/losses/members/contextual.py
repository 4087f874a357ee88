"""Contextual loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import mean_nonzero, pair_masks

SLOPE = 10.0
"""Slope of the gradient that replaces that of the step function."""


class Contextual(Loss):
    r"""Give items of one class the same neighbours in the batch, and items of two classes different ones.

    $$L = \frac{\lambda}{B^2} \sum_{i \neq j} (1[y_i = y_j] - J_{ij})^2 + \gamma (\bar{s} - \tau)^2
    + (1 - \lambda - \gamma) \left( \mathrm{mean}^+_{y_i = y_j} [m_p - s_{ij}]_+
    + \mathrm{mean}^+_{y_i \neq y_j} [s_{ij} - m_n]_+ \right)$$

    s is the cosine similarity, s̄ its mean over all pairs including an item with itself, and mean⁺ the mean over the
    terms above 0. J is the contextual similarity. N_i are the items with a squared distance from i of at most that of
    its k-th nearest item (i itself is the first) plus ε, and N̄_i are all others. For j in N_i,
    w_ij = ½ (|N_i ∩ N_j| / |N_i| + |N̄_i ∩ N̄_j| / |N̄_i|); otherwise it is 0. J is the mean of w over the items that
    are mutually among the nearest k/2 (plus ε), made symmetric. Membership in N_i is a step function, 0 or 1; its
    gradient is 10 times that of the negative squared distance. There is no gradient through the k-th nearest item,
    |N| and |N̄|. Liao, Tsiligkaridis and Kulis (2023), as in the authors' code for 256 pixels
    (Chris210634/metric-learning-using-contextual-similarity); in their code for 224 pixels λ has the opposite meaning.
    k is the number of items of i's class in the batch, as in the paper; the code fixes it to 4. If all items are
    neighbours, the code divides by |N̄| = 0; here the term is 0.

    Args:
        context_weight: λ, at least 0.
        mean_weight: γ, at least 0; λ + γ must be below 1.
        mean_similarity: τ, target of the mean similarity.
        epsilon: ε, a squared distance, at least 0.
        pos_margin: m_p, similarity above which positives do not contribute.
        neg_margin: m_n, similarity below which negatives do not contribute.
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
        """Return the loss of embeddings (B, D) and labels (B,)."""
        unit = functional.normalize(embeddings, dim=1)
        similarity = unit @ unit.T  # (B, B)
        positive, negative = pair_masks(labels)
        contextual = contextual_similarity(similarity, positive.sum(dim=1) + 1, epsilon=self.epsilon)
        context = ((positive.to(contextual.dtype) - contextual).square() * (positive | negative)).mean()
        pull = mean_nonzero((self.pos_margin - similarity).relu(), positive)
        push = mean_nonzero((similarity - self.neg_margin).relu(), negative)
        level = (similarity.mean() - self.mean_similarity).square()
        rest = 1 - self.context_weight - self.mean_weight
        return self.context_weight * context + self.mean_weight * level + rest * (pull + push)


def contextual_similarity(similarity: Tensor, neighbors: Tensor, *, epsilon: float) -> Tensor:
    """Return the (B, B) agreement of the neighbours of two items.

    Args:
        similarity: (B, B) cosine similarities.
        neighbors: (B,) number of neighbours of each item, including itself.
        epsilon: squared distance by which an item may be farther than the last neighbour.
    """
    itself = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    closeness = -(2 - 2 * similarity).clamp_min(0).masked_fill(itself, 0)
    near = among_nearest(closeness, neighbors, epsilon=epsilon)
    shared = (near @ near.T) / near.sum(dim=1, keepdim=True).detach()
    far = 1 - near
    excluded = (far @ far.T) / far.sum(dim=1, keepdim=True).detach().clamp_min(1)
    half = among_nearest(closeness, (neighbors // 2).clamp_min(1), epsilon=epsilon)
    mutual = half * half.T
    agreement = mutual @ ((shared + excluded) / 2 * near) / mutual.sum(dim=1, keepdim=True)
    return (agreement + agreement.T) / 2


def among_nearest(closeness: Tensor, neighbors: Tensor, *, epsilon: float) -> Tensor:
    """Return (B, B) 1 if an item is among the (B,) nearest of a row, or within ε of them, else 0; slope `SLOPE`."""
    fixed = closeness.detach()
    last = fixed.sort(dim=1, descending=True).values.gather(1, neighbors[:, None] - 1)
    return (fixed + epsilon >= last).to(closeness.dtype) + SLOPE * (closeness - fixed)
