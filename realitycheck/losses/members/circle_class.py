"""Circle loss with class vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class CircleClass(Loss):
    r"""Classify by cosine similarity, with weights that increase with the distance of a similarity from its optimum.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{z_{i y_i}}}{\sum_c e^{z_{ic}}}, \quad
    z_{i y_i} = \gamma\,[1 + m - s_{i y_i}]_+ (s_{i y_i} - 1 + m), \quad
    z_{ic} = \gamma\,[s_{ic} + m]_+ (s_{ic} - m)$$

    s is the cosine similarity of embedding and class vector. The brackets are weights without a gradient. Sun et al.
    (2020), Eq. 5 and 6 for class-level labels, with their four thresholds in terms of m. Class vectors are initialised
    as Kaiming uniform, U(±1/√D), as in fast-reid; the authors published no code.

    Args:
        margin: m, in [0, 1]; smaller values are stricter. The decision boundary is a circle of radius √2 m around
            similarity 1 to the own class and 0 to another.
        gamma: γ, above 0; larger values give a sharper weighting.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, margin: float, gamma: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.gamma = gamma
        bound = embedding_dim**-0.5
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        similarity = cosines(embeddings, self.proxies)  # (B, C)
        own = own_class(labels, classes=len(self.proxies))
        excess = torch.where(own, similarity - (1 - self.margin), similarity - self.margin)
        return functional.cross_entropy(self.gamma * self.weights(similarity.detach(), own) * excess, labels)

    def weights(self, similarity: Tensor, own: Tensor) -> Tensor:
        """Return the (B, C) distance of each similarity from its optimum: 1 + m for the own class, −m for others."""
        return (self.margin + torch.where(own, 1 - similarity, similarity)).relu()
