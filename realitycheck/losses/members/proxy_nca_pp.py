"""ProxyNCA++ loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines


class ProxyNCAPlusPlus(Loss):
    r"""Classify by the squared distance to one learned proxy per class, on the unit sphere.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{-\alpha\,d^2(x_i, p_{y_i})}}{\sum_c e^{-\alpha\,d^2(x_i, p_c)}}$$

    d is the Euclidean distance of L2-normalised embedding and proxy; the denominator includes the true proxy. Teh,
    DeVries and Taylor (2020), Eq. 6, with temperature 1/α. For unit vectors d² = 2 − 2 s, so the loss equals normalised
    softmax with temperature 1/(2α). Proxies are initialised from N(0, 1) / 8, as in the authors' code.

    Args:
        scale: α, above 0; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim) / 8)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        square = 2 - 2 * cosines(embeddings, self.proxies)  # (B, C)
        return functional.cross_entropy(-self.scale * square, labels)
