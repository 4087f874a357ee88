"""Multi-similarity loss on mined pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.parts.pairs import hide


class MultiSimilarityMined(MultiSimilarity):
    r"""The multi-similarity loss on those pairs that a pair of the other kind comes near.

    $$P_i = \left\{ p : s_{ip} - \epsilon < \max_{y_k \neq y_i} s_{ik} \right\}, \quad
    N_i = \left\{ n : s_{in} + \epsilon > \min_{y_k = y_i} s_{ik} \right\}, \quad
    L = L_{\mathrm{MS}}(P, N)$$

    s is the cosine similarity, and L_MS the loss of `multi_similarity` with its sums over P_i and N_i. An anchor
    without such pairs adds nothing and counts in the mean, as in the authors' code (msight-tech/research-ms-loss).
    Wang, Han, Huang, Dong and Scott (2019), section 4. The code takes positives more similar than 1 - 1e-5 for the
    anchor itself; here, only the anchor is left out.

    Args:
        alpha: α, sharpness on positives, above 0.
        beta: β, sharpness on negatives, above 0.
        base: λ, the similarity around which pairs count.
        epsilon: ε, how near a pair must come; from 2 on, every pair does.
    """

    def __init__(self, *, alpha: float, beta: float, base: float, epsilon: float) -> None:
        super().__init__(alpha=alpha, beta=beta, base=base)
        self.epsilon = epsilon

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        with torch.no_grad():
            mined = mine(anchors @ others.T, positive, negative, epsilon=self.epsilon)
        return super().between(anchors, others, *mined)


def mine(similarity: Tensor, positive: Tensor, negative: Tensor, *, epsilon: float) -> tuple[Tensor, Tensor]:
    """The pairs of (B, M) masks that are on the wrong side of the anchor's worst pair of the other kind, or ε from it.

    Both are empty where an anchor has no pair of one kind.
    """
    nearest = hide(similarity, negative).amax(dim=1, keepdim=True)
    farthest = -hide(-similarity, positive).amax(dim=1, keepdim=True)
    return positive & (similarity - epsilon < nearest), negative & (similarity + epsilon > farthest)
