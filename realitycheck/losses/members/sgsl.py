"""Stop-gradient softmax loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import masked_logsumexp
from realitycheck.losses.parts.proxies import cosines, own_class


class SGSL(Loss):
    r"""Classify linearly, and pull each embedding to the direction of its class vector, which this pull leaves alone.

    $$L = L_{CE} + \frac{\omega}{B} \, [L_{CE} \leq t] \sum_i \log \left( 1 +
    \exp \left( \frac{1}{\gamma} \log \sum_{c \neq y_i} e^{\gamma s_{ic}} - s_{i y_i} \right) \right)$$

    L_CE is the cross entropy of the logits w_c · x_i, both as they are, against targets of 1 - ε on the own class and
    ε/(C-1) on each other. s is the cosine similarity of embedding and class vector; no gradient reaches the class
    vectors through it. [·] is 1 where it holds and 0 elsewhere: the second term comes in once the first is small.
    Yang, Wang and Zhang (2023), by the authors' code (luyang-NWPU/SGSL), where ω is 1 and t is 3. The smallest
    L_CE grows with ε and C: a threshold below it switches the second term off for good. Not here: the authors' trunk,
    pooling and neck. Class vectors keep the initial values of the authors' code, as their length sets the scale of
    the logits.

    Args:
        smoothing: ε, from 0 to below 1 - 1/C.
        scale: γ, above 0.
        center_weight: ω, from 0.
        threshold: t; the authors' is 3.
        num_classes: C, one class vector each.
        embedding_dim: D.
    """

    keeps_init = ("proxies",)

    def __init__(
        self,
        *,
        smoothing: float,
        scale: float,
        center_weight: float,
        threshold: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.scale = scale
        self.center_weight = center_weight
        self.threshold = threshold
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).normal_(std=0.001))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        points = embeddings.to(self.proxies.dtype)
        classes = len(self.proxies)
        spread = self.smoothing * classes / max(classes - 1, 1)  # torch gives a share of it to the own class, too
        entropy = functional.cross_entropy(points @ self.proxies.T, labels, label_smoothing=spread)
        center = self.center_weight * self._center(points, labels)
        return entropy + torch.where(entropy.detach() <= self.threshold, center, torch.zeros_like(center))

    def _center(self, points: Tensor, labels: Tensor) -> Tensor:
        similarity = cosines(points, self.proxies.detach())  # (B, C)
        own = own_class(labels, classes=len(self.proxies))
        nearest = masked_logsumexp(self.scale * similarity, ~own) / self.scale  # (B,)
        return functional.softplus(nearest - (similarity * own).sum(dim=1)).mean()
