"""Signal-to-noise ratio contrastive loss of L2-normalised embeddings."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from realitycheck.losses.members.snr_contrastive import SNRContrastive


class SNRContrastiveNormalized(SNRContrastive):
    r"""SNR contrastive loss with the ratios of L2-normalised embeddings.

    $$L = \mathrm{mean}^+_{y_i = y_j}\,[d_{ij} - m_p]_+ + \mathrm{mean}^+_{y_i \neq y_j}\,[m_n - d_{ij}]_+
    + \frac{\lambda}{B} \sum_i \left| \sum_k x_{ik} \right|, \quad
    d_{ij} = \frac{\mathrm{var}(u_j - u_i)}{\mathrm{var}(u_i)}$$

    x are the unnormalised and u the L2-normalised embeddings, var is over the dimensions of one vector, and mean⁺ is
    the mean over the terms above 0. Yuan, Deng, Tang, Tang and Chen (2019), section 3, as in pytorch-metric-learning
    0.9.92, which normalises by default, and so in Musgrave, Belongie and Lim (2020). `snr_contrastive` has the paper's
    ratios.

    Args:
        pos_margin: m_p, ratio below which positives do not contribute, at least 0.
        neg_margin: m_n, ratio above which negatives do not contribute; that of independent embeddings is about 2.
        regularizer: λ, at least 0, weight of the penalty on the sum of an embedding.
    """

    def points(self, embeddings: Tensor) -> Tensor:
        """Return the (B, D) normalised embeddings minus the mean of each, which does not change a variance."""
        return super().points(functional.normalize(embeddings, dim=1))
