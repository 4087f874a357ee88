"""Multi-similarity loss on mined pairs."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.parts.pairs import hide
from realitycheck.losses.parts.written_gradients import Sloped


class MultiSimilarityMined(MultiSimilarity):
    r"""Multi-similarity loss on mined pairs: those that are close to the anchor's worst pair of the other kind.

    $$P_i = \left\{ p : s_{ip} - \epsilon < \max_{y_k \neq y_i} s_{ik} \right\}, \quad
    N_i = \left\{ n : s_{in} + \epsilon > \min_{y_k = y_i} s_{ik} \right\}, \quad
    L = L_{\mathrm{MS}}(P, N)$$

    s is the cosine similarity, and L_MS the loss `multi_similarity` with its sums over P_i and N_i. An anchor without
    mined pairs contributes 0 and counts in the mean, as in the authors' code (msight-tech/research-ms-loss). Wang, Han,
    Huang, Dong and Scott (2019), section 4. The code excludes positives more similar than 1 − 1e-5 as the anchor
    itself; here only the anchor is excluded.

    Args:
        alpha: α, above 0; larger values give a sharper weighting of positives.
        beta: β, above 0; larger values give a sharper weighting of negatives.
        base: λ, similarity at which the term of a pair is 1.
        epsilon: ε, margin of mining; with 2 or more, all pairs are mined.
    """

    def __init__(self, *, alpha: float, beta: float, base: float, epsilon: float) -> None:
        super().__init__(alpha=alpha, beta=beta, base=base)
        self.epsilon = epsilon

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        near, far = mine(similarity, positive.bool(), negative.bool(), epsilon=self.epsilon)
        return super().sloped(similarity, near.to(similarity.dtype), far.to(similarity.dtype))


def mine(similarity: Tensor, positive: Tensor, negative: Tensor, *, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the pairs of (B, M) masks that are beyond the anchor's worst pair of the other kind, or within ε of it.

    Both masks are empty for an anchor without pairs of one kind.
    """
    nearest = hide(similarity, negative).amax(dim=1, keepdim=True)
    farthest = -hide(-similarity, positive).amax(dim=1, keepdim=True)
    return positive & (similarity - epsilon < nearest), negative & (similarity + epsilon > farthest)
