"""Cross entropy of a linear classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss


class CrossEntropy(Loss):
    r"""Classify with a linear layer, without normalisation.

    $$L = -\frac{1}{B} \sum_i \sum_c q_{ic} \log \frac{e^{w_c \cdot x_i + b_c}}{\sum_k e^{w_k \cdot x_i + b_k}}$$

    w and b are the class vectors and their biases. The target q is 1 − ε for the own class and ε/(C−1) for each other.
    Boudiaf, Rony, Ziko, Granger, Pedersoli, Piantanida and Ben Ayed (2020), with the smoothing of the authors' code,
    which subtracts the constant entropy of q. Class vectors are not initialised by `loss_init`, because their norm sets
    the scale of the logits. They keep the initial values of a linear layer, U(±1/√D). The authors' class vectors start
    at 0, so that their first step does not change the embeddings.

    Args:
        smoothing: ε, at least 0 and below 1 − 1/C.
        num_classes: C, the number of classes, at least 2, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    keeps_init = ("proxies",)

    def __init__(self, *, smoothing: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        self.smoothing = smoothing * num_classes / max(num_classes - 1, 1)  # torch spreads ε over all C classes
        bound = embedding_dim**-0.5
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        logits = functional.linear(embeddings.to(self.proxies.dtype), self.proxies, self.bias)  # (B, C)
        return functional.cross_entropy(logits, labels, label_smoothing=self.smoothing)
