"""N-pair loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.base import Loss
from realitycheck.losses.pairs import masked_logsumexp, mean_where


class NPair(Loss):
    r"""Tell an image's partner from the partners of all other classes, by the dot product.

    $$L = -\frac{1}{N} \sum_{c} \log \frac{e^{a_c \cdot p_c}}{\sum_{k} e^{a_c \cdot p_k}}
    + \frac{\lambda}{B} \sum_i |x_i|^2$$

    x are the embeddings as they are, a the first and p the second image in the batch of each of its N classes that have
    two. Further images of a class enter the penalty alone. Sohn (2016), section 3.2. The paper's batches
    hold two images per class and no more, and it chooses classes that are hard to tell apart; here the sampler draws
    them. The order of the batch decides which of a class's images form its pair, and which one is the anchor.

    Args:
        l2: λ, weight of the mean squared length, from 0. TensorFlow's `reg_lambda` is twice that.
    """

    def __init__(self, *, l2: float) -> None:
        super().__init__()
        self.l2 = l2

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,)."""
        same = labels[:, None] == labels[None, :]
        place = same.tril(diagonal=-1).sum(dim=1)  # (B,) how many of the class come before
        partner = same & (place == 1)
        anchor = (place == 0) & partner.any(dim=1)
        # No more than half the batch are anchors: they come first, and what follows is masked.
        row = anchor.int().argsort(descending=True, stable=True)[: (len(labels) + 1) // 2]
        there, mate = anchor[row], partner[row].int().argmax(dim=1)
        product = embeddings.index_select(0, row) @ embeddings.index_select(0, mate).T  # (anchor, partner)
        entropy = masked_logsumexp(product, there[:, None] & there) - product.diagonal()
        return mean_where(entropy, there) + self.l2 * embeddings.square().sum(dim=1).mean()
