"""ProxyNCA loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class ProxyNCA(Loss):
    r"""Bring embeddings closer to the proxy of their class than to all others, by squared distance on the unit sphere.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{-\alpha\,d^2(x_i, p_{y_i})}}{\sum_{c \neq y_i} e^{-\alpha\,d^2(x_i, p_c)}}$$

    d is the Euclidean distance of L2-normalised embedding and proxy. The true proxy is not in the denominator, so the
    value can be negative, and the attraction to the proxy does not vanish; ProxyNCA++ adds it. Movshovitz-Attias,
    Toshev, Leung, Ioffe and Singh (2017), Algorithm 1, with one proxy per class; there α is 1. Proxies are initialised
    from N(0, 1) / 8, as in the code of Teh, DeVries and Taylor (2020), who compare with this loss.

    Args:
        scale: α, above 0; larger values give more weight to the nearest proxies.
        num_classes: C, the number of classes, at least 2, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim) / 8)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        # d² = 2 - 2 s, and the constant 2 cancels out.
        closeness = 2 * self.scale * cosines(embeddings, self.proxies)  # (B, C)
        others = closeness.masked_fill(own_class(labels, classes=len(self.proxies)), -torch.inf).logsumexp(dim=1)
        return (others - closeness.gather(1, labels[:, None]).squeeze(1)).mean()
