"""FastAP loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.ranking import binned_average_precision, mean_over_queries, similarities


class FastAP(PairLoss):
    r"""Average precision with ranks from soft histograms of the distances to the query.

    $$L = 1 - \frac{1}{Q} \sum_i \frac{1}{N_i^+} \sum_b \frac{h_{ib}^+ \, H_{ib}^+}{H_{ib}}$$

    h⁺ counts the positives of query i near centre b, H⁺ and H the positives and all items up to it. Centres divide the
    squared distances 2 − 2s of L2-normalised embeddings, from 0 to 4, into equal intervals; an item between two
    centres counts for both by linear interpolation. Q is the number of queries with a positive; the query itself is not
    ranked. Cakir, He, Xia, Kulis and Sclaroff (2019), section 3. Gradients are those of the formula; the explicit
    backward pass of the authors' code is B/2 times as large. The loss equals listwise AP with `bins` + 1, except that
    listwise AP also ranks the query itself.

    Args:
        bins: number of intervals between 0 and 4, at least 1; there is one more centre.
    """

    def __init__(self, *, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = similarities(anchors, others)  # (B, M)
        precision = binned_average_precision(similarity, positive, negative, intervals=self.bins)
        return mean_over_queries(1 - precision, positive)
