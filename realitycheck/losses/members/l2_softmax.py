"""L2-constrained softmax loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss


class L2Softmax(Loss):
    r"""Classify with a linear layer, with all embeddings on one sphere.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{\alpha \, w_{y_i} \cdot \hat{x}_i + b_{y_i}}}
    {\sum_c e^{\alpha \, w_c \cdot \hat{x}_i + b_c}}$$

    x̂ is the L2-normalised embedding; w and b are the unnormalised class vectors and their biases. Ranjan, Castillo
    and Chellappa (2017), with a fixed α; the paper also learns it. Class vectors keep the initial values of a linear
    layer, U(±1/√D), instead of `loss_init`, because their norm sets the scale of the logits.

    Args:
        alpha: α, radius of the sphere, above 0.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    keeps_init = ("proxies",)

    def __init__(self, *, alpha: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.alpha = alpha
        bound = embedding_dim**-0.5
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        unit = functional.normalize(embeddings.to(self.proxies.dtype), dim=1)
        return functional.cross_entropy(self.alpha * unit @ self.proxies.T + self.bias, labels)
