"""Proxy-Anchor loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import log_one_plus_sum_exp
from realitycheck.losses.parts.proxies import cosines, own_class


class ProxyAnchor(Loss):
    r"""Use every proxy as an anchor that attracts and repels the images of the batch, the hardest most strongly.

    $$L = \frac{1}{|P^+|} \sum_{p \in P^+} \log\left(1 + \sum_{x \in X_p} e^{-\alpha (s_{xp} - \delta)}\right)
    + \frac{1}{C} \sum_p \log\left(1 + \sum_{x \notin X_p} e^{\alpha (s_{xp} + \delta)}\right)$$

    s is the cosine similarity of embedding and proxy, X_p the images of the proxy's class in the batch, and P⁺ the
    proxies with such images. Kim, Kim, Cho and Kwak (2020), Eq. 4. Proxies are initialised from N(0, 2/C) (Kaiming, fan
    out), as in the authors' code.

    Args:
        margin: δ, similarity at which the term of a positive is 1; that of a negative is 1 at −δ.
        alpha: α, above 0; larger values give more weight to the hardest images.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    pml_keeps = ("proxies",)

    def __init__(self, *, margin: float, alpha: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.alpha = alpha
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.kaiming_normal_(self.proxies, mode="fan_out")

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        similarity = cosines(embeddings, self.proxies).T  # (C, B)
        own = own_class(labels, classes=len(self.proxies)).T
        pull = log_one_plus_sum_exp(-self.alpha * (similarity - self.margin), own)  # (C,)
        push = log_one_plus_sum_exp(self.alpha * (similarity + self.margin), ~own)
        return pull.sum() / own.any(dim=1).sum() + push.mean()
