"""Generalised lifted structure loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.members.lifted_structure import Lifted
from realitycheck.losses.parts.slopes import has, log_sum_exp, masked_mean
from realitycheck.losses.parts.written_gradients import Sloped


class GeneralizedLifted(Lifted):
    r"""Bring all positives of an anchor closer than all its negatives, with smooth maxima.

    $$L = \mathrm{mean}_a \left[ \log \sum_{p} e^{D_{ap}} + \log \sum_{n} e^{m - D_{an}} \right]_+$$

    D is the Euclidean distance of unnormalised embeddings. Hermans, Beyer and Leibe (2017), section 2: the lifted
    structure loss with all positives of an anchor in one term. The paper sums over the anchors; here the loss is the
    mean over anchors with a positive and a negative.

    Args:
        neg_margin: m, distance up to which negatives are repelled, in units of the embeddings.
    """

    def sloped(self, distance: Tensor, positive: Tensor, negative: Tensor) -> Sloped:
        """Return the loss of (B, M) distances and its derivative."""
        pull, at_positive = log_sum_exp(distance.clone(), positive)
        push, at_negative = log_sum_exp(self.neg_margin - distance, negative)
        excess = pull + push  # (B, 1)
        value, share = masked_mean(excess.relu(), has(positive) * has(negative))
        return Sloped(value, at_positive.sub_(at_negative).mul_(share * (excess > 0)))
