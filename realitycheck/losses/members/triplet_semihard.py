"""Triplet loss on semi-hard negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss, hide, mean_where


class TripletSemihard(PairLoss):
    r"""Every positive nearer than one negative, by a margin: the nearest of the negatives that are farther than it.

    $$L = \mathrm{mean}_{a,\,p}\,[d_{ap}^2 - d_{a\,n(a,p)}^2 + m]_+ \;,\quad
    n(a,p) = \mathrm{argmin}_{n:\; d_{an} > d_{ap}}\, d_{an}$$

    d is the Euclidean distance of L2-normalised embeddings. Schroff, Kalenichenko and Philbin (2015), section 3.2. Of
    what the paper leaves open, this follows TensorFlow: among semi-hard negatives the hardest one; where no negative
    is farther than the positive, the farthest of all; the mean over all pairs of anchor and positive, terms at 0
    included. A negative beyond the margin gives 0, so that the paper's "inside the margin" holds by itself.

    Args:
        margin: m, by how much the squared distance to the negative should exceed that to the positive.
    """

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D)."""
        square = 2 - 2 * anchors @ others.T  # (B, M), as both are unit vectors
        chosen = square.gather(1, _semihard(square.detach(), negative))  # (anchor, positive)
        return mean_where((square - chosen + self.margin).relu(), positive & negative.any(dim=1, keepdim=True))


def _semihard(square: Tensor, negative: Tensor) -> Tensor:
    """(B, M) for each anchor and positive the index of the chosen negative; anything where there is none."""
    nearest_first, index = (-hide(-square, negative)).sort(dim=1)
    place = torch.searchsorted(nearest_first, square, right=True)  # how many negatives are not farther
    last = negative.sum(dim=1, keepdim=True) - 1
    return index.gather(1, place.minimum(last).clamp_min(0))
