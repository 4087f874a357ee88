"""Triplet loss on semi-hard negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.pairs import hide
from realitycheck.losses.parts.slopes import has, masked_mean
from realitycheck.losses.parts.written_gradients import Measure, Sloped, SlopedLoss


class TripletSemihard(SlopedLoss):
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

    measure = Measure.COSINE

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def sloped(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) similarities and its derivative."""
        square = 2 - 2 * similarity  # squared distances, as both are unit vectors
        index = _semihard(square, negative)
        excess = square - square.gather(1, index) + self.margin  # (anchor, positive)
        value, share = masked_mean(excess.relu(), positive * has(negative))
        active = share.mul_(excess > 0)
        return Sloped(value, -2 * active.scatter_add(1, index, -active))


def _semihard(square: Tensor, negative: Tensor) -> Tensor:
    """Return (B, M) the index of the selected negative of each anchor and positive; undefined without negatives."""
    nearest_first, index = (-hide(-square, negative)).sort(dim=1)
    position = torch.searchsorted(nearest_first, square, right=True)  # the number of negatives that are not farther
    last = negative.sum(dim=1, keepdim=True).to(torch.int64) - 1
    return index.gather(1, position.minimum(last).clamp_min(0))
