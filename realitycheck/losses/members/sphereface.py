"""SphereFace loss, with its annealing."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.members.large_margin_softmax import LargeMarginSoftmax


class SphereFace(LargeMarginSoftmax):
    r"""Classify by angles to unit class vectors, and let the own angle count m-fold.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{f_i}}{e^{f_i} + \sum_{c \neq y_i} e^{|x_i| \cos\theta_{ic}}}, \quad
    f_i = |x_i| \frac{\lambda \cos\theta_{i y_i} + \psi(\theta_{i y_i})}{1 + \lambda}, \quad
    \psi(\theta) = (-1)^k \cos(m\theta) - 2k$$

    θ is the angle between embedding and class vector, and k the number of whole steps of π/m in it. The embedding's
    length |x_i| scales its logits. λ falls with the training step t from 1000: `max(lambda_min, 1000 / (1 + 0.12 t))`,
    t from 1. Liu, Wen, Yu, Li, Raj and Song (2017), Eq. 7; the annealing is that of the authors' code, with their
    lambda_min 5. With m = 1 it is the softmax of unit class vectors with scale |x|. Departures from the code: class
    vectors are normalised in the function, not overwritten at each step; the gradient is the function's own, where the
    authors' layer rescales it.

    Args:
        margin: m, whole, from 1; the authors' layer has 1 to 4.
        lambda_min: what λ falls to, at least 0; the larger, the nearer to m = 1.
        num_classes: C, one class vector each.
        embedding_dim: D.
    """

    keeps_init = ()

    def __init__(self, *, margin: int, lambda_min: float, num_classes: int, embedding_dim: int) -> None:
        super().__init__(margin=margin, lambda_min=lambda_min, num_classes=num_classes, embedding_dim=embedding_dim)
        bound = math.sqrt(3 / embedding_dim)
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))

    def class_vectors(self) -> Tensor:
        """(C, D) the class vectors, L2-normalised."""
        return functional.normalize(self.proxies, dim=1)

    def own_lengths(self, labels: Tensor) -> Tensor | float:
        """1 for all."""
        return 1.0
