"""Stop-gradient softmax loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.pairs import masked_logsumexp
from realitycheck.losses.parts.proxies import cosines, own_class


class SGSL(Loss):
    r"""Classify with a linear layer, and attract embeddings to their class vectors without moving these.

    $$L = L_{CE} + \frac{\omega}{B} \, [L_{CE} \leq t] \sum_i \log \left( 1 +
    \exp \left( \frac{1}{\gamma} \log \sum_{c \neq y_i} e^{\gamma s_{ic}} - s_{i y_i} \right) \right)$$

    L_CE is the cross entropy of the logits w_c · x_i, both unnormalised, with targets of 1 − ε for the own class and
    ε/(C−1) for each other. s is the cosine similarity of embedding and class vector, without a gradient for the class
    vectors. [·] is 1 if the condition holds and else 0, so the second term is active once the first is small. Yang,
    Wang and Zhang (2023), as in the authors' code (luyang-NWPU/SGSL), where ω is 1 and t is 3. The smallest possible
    L_CE increases with ε and C; a threshold below it disables the second term. The authors' trunk, pooling and neck are
    not included. Class vectors are initialised as in the authors' code, not by `loss_init`, because their norm sets the
    scale of the logits.

    Args:
        smoothing: ε, at least 0 and below 1 − 1/C.
        scale: γ, above 0.
        center_weight: ω, at least 0.
        threshold: t; the authors use 3.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
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
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        points = embeddings.to(self.proxies.dtype)
        classes = len(self.proxies)
        smoothing = self.smoothing * classes / max(classes - 1, 1)  # torch spreads ε over all C classes
        entropy = functional.cross_entropy(points @ self.proxies.T, labels, label_smoothing=smoothing)
        center = self.center_weight * self._center(points, labels)
        return entropy + torch.where(entropy.detach() <= self.threshold, center, torch.zeros_like(center))

    def _center(self, points: Tensor, labels: Tensor) -> Tensor:
        similarity = cosines(points, self.proxies.detach())  # (B, C)
        own = own_class(labels, classes=len(self.proxies))
        nearest = masked_logsumexp(self.scale * similarity, ~own) / self.scale  # (B,)
        return functional.softplus(nearest - (similarity * own).sum(dim=1)).mean()
