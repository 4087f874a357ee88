"""CosFace loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class CosFace(Loss):
    r"""Classify by cosine similarity, with a margin subtracted from the similarity to the true class.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{s\,(\cos\theta_{i y_i} - m)}}{e^{s\,(\cos\theta_{i y_i} - m)}
    + \sum_{c \neq y_i} e^{s\,\cos\theta_{ic}}}$$

    θ is the angle between embedding and class vector. Wang et al. (2018), Eq. 4. Class vectors are initialised as
    Xavier uniform.

    Args:
        margin: m, a difference of cosines; 0 gives normalised softmax with temperature 1/s.
        scale: s, above 0; larger values give a sharper distribution.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    def __init__(self, *, margin: float, scale: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.margin = margin
        self.scale = scale
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.xavier_uniform_(self.proxies)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        cosine = cosines(embeddings, self.proxies)  # (B, C)
        logits = cosine - self.margin * own_class(labels, classes=len(self.proxies))
        return functional.cross_entropy(self.scale * logits, labels)
