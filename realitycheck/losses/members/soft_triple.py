"""SoftTriple loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class SoftTriple(Loss):
    r"""Classify by the similarity to several centres per class, the nearer ones weighing more.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{\lambda (S_{i y_i} - \delta)}}{e^{\lambda (S_{i y_i} - \delta)}
    + \sum_{c \neq y_i} e^{\lambda S_{ic}}} + \frac{\tau}{C K (K-1)} \sum_c \sum_{k < l} \| w_{ck} - w_{cl} \|$$

    `S_ic = Σ_k softmax_k(s_ick / γ) s_ick`, s the cosine similarity to centre k of class c, w the normalised centres.
    Qian et al. (2019), Eq. 7 to 9; the regulariser pulls centres of one class together. The authors' code adds 1e-5 to
    the squared distances in it, and this does not. Centres start as U(±1/√(CK)), as in that code.

    Args:
        centers: K, centres of each class, 1 or more. One gives normalised softmax (with margin 0) and no regulariser.
        scale: λ, above 0; the larger, the sharper.
        gamma: γ, above 0, the temperature among the centres of a class; large values average them.
        margin: δ, a difference of similarities.
        regularizer: τ, weight of the regulariser, 0 or more.
        num_classes: C.
        embedding_dim: D.
    """

    def __init__(
        self,
        *,
        centers: int,
        scale: float,
        gamma: float,
        margin: float,
        regularizer: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        self.centers = centers
        self.scale = scale
        self.gamma = gamma
        self.margin = margin
        self.regularizer = regularizer
        bound = (num_classes * centers) ** -0.5
        self.proxies = nn.Parameter(torch.empty(num_classes * centers, embedding_dim).uniform_(-bound, bound))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        each = cosines(embeddings, self.proxies).reshape(len(labels), -1, self.centers)  # (B, C, K)
        relaxed = ((each / self.gamma).softmax(dim=2) * each).sum(dim=2)  # (B, C)
        logits = relaxed - self.margin * own_class(labels, classes=relaxed.shape[1])
        return functional.cross_entropy(self.scale * logits, labels) + self._spread()

    def _spread(self) -> Tensor | float:
        """The regulariser: the weighted mean distance of the centres of a class."""
        if self.centers == 1 or self.regularizer == 0:
            return 0.0
        unit = functional.normalize(self.proxies, dim=1).reshape(-1, self.centers, self.proxies.shape[1])  # (C, K, D)
        apart = torch.cdist(unit, unit, compute_mode="donot_use_mm_for_euclid_dist")  # (C, K, K), each pair twice
        return self.regularizer * apart.sum() / (2 * len(unit) * self.centers * (self.centers - 1))
