"""SphereFace loss with annealing."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.members.large_margin_softmax import LargeMarginSoftmax


class SphereFace(LargeMarginSoftmax):
    r"""Classify by the angles to unit class vectors, with the own angle multiplied by m.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{f_i}}{e^{f_i} + \sum_{c \neq y_i} e^{|x_i| \cos\theta_{ic}}}, \quad
    f_i = |x_i| \frac{\lambda \cos\theta_{i y_i} + \psi(\theta_{i y_i})}{1 + \lambda}, \quad
    \psi(\theta) = (-1)^k \cos(m\theta) - 2k$$

    θ is the angle between embedding and class vector, and k the integer part of θ m / π. The embedding's norm |x_i|
    scales its logits. λ decreases with the training step t = 1, 2, … as `max(lambda_min, 1000 / (1 + 0.12 t))`. Liu,
    Wen, Yu, Li, Raj and Song (2017), Eq. 7; the annealing is that of the authors' code, in which lambda_min is 5. With
    m = 1 the loss is the softmax of unit class vectors with scale |x|. Differences from the code: class vectors are
    normalised in the function, not overwritten at each step; the gradient is that of the function, where the authors'
    layer rescales it.

    Args:
        margin: m, an integer, at least 1; the authors' layer supports 1 to 4.
        lambda_min: lower bound of λ, at least 0; larger values are closer to m = 1.
        num_classes: C, the number of classes, each with one class vector.
        embedding_dim: D, the embedding dimensions.
    """

    keeps_init = ()

    def __init__(self, *, margin: int, lambda_min: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__(margin=margin, lambda_min=lambda_min, num_classes=num_classes, embedding_dim=embedding_dim)
        bound = math.sqrt(3 / embedding_dim)
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))

    def class_vectors(self) -> Tensor:
        """Return the (C, D) L2-normalised class vectors."""
        return functional.normalize(self.proxies, dim=1)

    def own_lengths(self, labels: Tensor) -> Tensor | float:
        """Return 1, the norm of all class vectors."""
        return 1.0
