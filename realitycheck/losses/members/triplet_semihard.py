"""Triplet loss on semi-hard negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss, hide, mean_where


class TripletSemihard(PairLoss):
    r"""Bring every positive closer than its semi-hard negative: the nearest of the negatives farther than it.

    $$L = \mathrm{mean}_{a,\,p}\,[d_{ap}^2 - d_{a\,n(a,p)}^2 + m]_+ \;,\quad
    n(a,p) = \mathrm{argmin}_{n:\; d_{an} > d_{ap}}\, d_{an}$$

    d is the Euclidean distance of L2-normalised embeddings. Schroff, Kalenichenko and Philbin (2015), section 3.2.
    Details that the paper does not state follow TensorFlow. The negative is the hardest semi-hard one, or the farthest
    of all if no negative is farther than the positive. The mean is over all pairs of anchor and positive, including
    terms that are 0. A negative beyond the margin contributes 0, so the paper's condition "inside the margin" needs no
    separate test.

    Args:
        margin: m, by which the squared distance to the negative should exceed that to the positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        square = 2 - 2 * anchors @ others.T  # (B, M), as both are unit vectors
        chosen = square.gather(1, _semihard(square.detach(), negative))  # (anchor, positive)
        return mean_where((square - chosen + self.margin).relu(), positive & negative.any(dim=1, keepdim=True))


def _semihard(square: Tensor, negative: Tensor) -> Tensor:
    """Return (B, M) the index of the selected negative of each anchor and positive; undefined without negatives."""
    nearest_first, index = (-hide(-square, negative)).sort(dim=1)
    position = torch.searchsorted(nearest_first, square, right=True)  # the number of negatives that are not farther
    last = negative.sum(dim=1, keepdim=True) - 1
    return index.gather(1, position.minimum(last).clamp_min(0))
