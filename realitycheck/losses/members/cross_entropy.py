"""Cross entropy of a linear classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss


class CrossEntropy(Loss):
    r"""Classify linearly, as classification networks do, nothing normalised.

    $$L = -\frac{1}{B} \sum_i \sum_c q_{ic} \log \frac{e^{w_c \cdot x_i + b_c}}{\sum_k e^{w_k \cdot x_i + b_k}}$$

    w and b are the class vectors and their biases. The target q is 1 − ε at the own class and ε/(C−1) at each other.
    Boudiaf, Rony, Ziko, Granger, Pedersoli, Piantanida and Ben Ayed (2020), with the smoothing of the authors' code;
    that takes the entropy of q, a constant, off the value. Class vectors keep their initial values, those of a linear
    layer, U(±1/√D), as their length sets the scale of the logits. The authors' start at 0, so that their first step
    moves no embedding.

    Args:
        smoothing: ε, from 0 to below 1 − 1/C.
        num_classes: C, 2 or more, one class vector each.
        embedding_dim: D.
    """

    keeps_init = ("proxies",)

    def __init__(self, *, smoothing: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.smoothing = smoothing * num_classes / max(num_classes - 1, 1)  # torch spreads ε over all C
        bound = embedding_dim**-0.5
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        logits = functional.linear(embeddings.to(self.proxies.dtype), self.proxies, self.bias)  # (B, C)
        return functional.cross_entropy(logits, labels, label_smoothing=self.smoothing)
