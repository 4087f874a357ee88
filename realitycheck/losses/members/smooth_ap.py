"""Smooth-AP loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.ranking import (
    mean_over_positives,
    mean_over_queries,
    similarities,
    soft_ranks,
    with_query,
)


class SmoothAP(PairLoss):
    r"""Average precision with a sigmoid in place of every comparison of two similarities.

    $$L = 1 - \frac{1}{Q} \sum_i \frac{1}{N_i^+} \sum_{j \in P_i}
    \frac{1 + \sum_{k \in P_i, k \neq j} \sigma((s_{ik} - s_{ij}) / \tau)}
    {1 + \sum_{k \neq j} \sigma((s_{ik} - s_{ij}) / \tau)}$$

    s is the cosine similarity, P the positives of query i, N⁺ their number, and k runs over all items. The query itself
    is one of its positives, as in the authors' code. Q is the number of queries with another positive. Brown, Xie,
    Kalogeiton and Zisserman (2020), section 4. Memory O(B³), and O(B·M²) against M others.

    Args:
        temperature: τ, above 0; with smaller values ranks are closer to the true ones, and fewer pairs have a gradient.
    """

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity, same, other = with_query(similarities(anchors, others), positive, negative)  # (B, M + 1)
        among_same, among_all = soft_ranks(similarity, same, same | other, temperature=self.temperature)
        precision = mean_over_positives(among_same / among_all, same)  # (B,)
        return mean_over_queries(1 - precision, positive)
