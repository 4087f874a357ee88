"""Listwise average precision loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.ranking import binned_average_precision, mean_over_queries, similarities, with_query


class ListwiseAP(PairLoss):
    r"""Average precision with similarities in soft bins.

    $$L = 1 - \frac{1}{Q} \sum_i \sum_m \frac{\sum_{n \leq m} h_{in}^+}{\sum_{n \leq m} h_{in}}
    \cdot \frac{h_{im}^+}{N_i^+}$$

    h⁺ and h count the positives and all items of query i in bin m. Bins are triangular, with centres in equal steps
    from similarity 1 down to −1. The query itself is one of its positives. Q is the number of queries with another
    positive. Revaud, Almazán, Rezende and de Souza (2019), section 3. The released code has its bins on [0, 1] by
    default, so that negatives below 0 have no gradient; here they are on [−1, 1], as in Ramzi et al. (2021). The loss
    equals FastAP with `bins` − 1, except for the query itself.

    Args:
        bins: number of centres, at least 2.
    """

    def __init__(self, *, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        ranked = with_query(similarities(anchors, others), positive, negative)  # three of (B, M + 1)
        precision = binned_average_precision(*ranked, intervals=self.bins - 1)
        return mean_over_queries(1 - precision, positive)
