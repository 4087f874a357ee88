"""Generalised lifted structure loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.members.lifted_structure import Lifted
from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import masked_logsumexp, mean_of_anchors


class GeneralizedLifted(Lifted):
    r"""Bring all positives of an anchor closer than all its negatives, with smooth maxima.

    $$L = \mathrm{mean}_a \left[ \log \sum_{p} e^{D_{ap}} + \log \sum_{n} e^{m - D_{an}} \right]_+$$

    D is the Euclidean distance of unnormalised embeddings. Hermans, Beyer and Leibe (2017), section 2: the lifted
    structure loss with all positives of an anchor in one term. The paper sums over the anchors; here the loss is the
    mean over anchors with a positive and a negative.

    Args:
        neg_margin: m, distance up to which negatives are repelled, in units of the embeddings.
    """

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        distance = distances(anchors, others)  # (B, M)
        pull = masked_logsumexp(distance, positive)
        push = masked_logsumexp(self.neg_margin - distance, negative)
        return mean_of_anchors((pull + push).relu(), positive.any(dim=1) & negative.any(dim=1))
