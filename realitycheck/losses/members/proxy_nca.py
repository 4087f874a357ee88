"""ProxyNCA loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class ProxyNCA(Loss):
    r"""Nearer to the proxy of the own class than to those of all others, by squared distance on the unit sphere.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{-\alpha\,d^2(x_i, p_{y_i})}}{\sum_{c \neq y_i} e^{-\alpha\,d^2(x_i, p_c)}}$$

    d is the Euclidean distance of L2-normalised embedding and proxy. The true proxy does not stand in the denominator,
    so the value can be negative, and the pull to it never ends; ProxyNCA++ puts it there. Movshovitz-Attias, Toshev,
    Leung, Ioffe and Singh (2017), Algorithm 1, with one proxy per class; α is 1 there. Proxies start as N(0, 1) / 8, as
    in the code of Teh, DeVries and Taylor (2020), who compare with it.

    Args:
        scale: α, above 0; the larger, the more the nearest proxies weigh.
        num_classes: C, 2 or more, one proxy each.
        embedding_dim: D.
    """

    def __init__(self, *, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim) / 8)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        # d² = 2 - 2 s, and the 2 cancels out.
        closeness = 2 * self.scale * cosines(embeddings, self.proxies)  # (B, C)
        others = closeness.masked_fill(own_class(labels, classes=len(self.proxies)), -torch.inf).logsumexp(dim=1)
        return (others - closeness.gather(1, labels[:, None]).squeeze(1)).mean()
