"""SoftTriple loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.proxies import cosines, own_class


class SoftTriple(Loss):
    r"""Classify by the similarity to several centres per class, with larger weights for closer ones.

    $$L = -\frac{1}{B} \sum_i \log \frac{e^{\lambda (S_{i y_i} - \delta)}}{e^{\lambda (S_{i y_i} - \delta)}
    + \sum_{c \neq y_i} e^{\lambda S_{ic}}} + \frac{\tau}{C K (K-1)} \sum_c \sum_{k < l} \| w_{ck} - w_{cl} \|$$

    `S_ic = Σ_k softmax_k(s_ick / γ) s_ick`, where s is the cosine similarity to centre k of class c, and w are the
    normalised centres. Qian et al. (2019), Eq. 7 to 9; the regulariser attracts the centres of a class to each other.
    The authors' code adds 1e-5 to its squared distances; here they are exact. Centres are initialised from U(±1/√(CK)),
    as in that code.

    Args:
        centers: K, number of centres of a class, at least 1. With 1 centre there is no regulariser, and with margin 0
            the loss is normalised softmax.
        scale: λ, above 0; larger values give a sharper distribution.
        gamma: γ, above 0, temperature of the centres of a class; large values average them.
        margin: δ, a difference of similarities.
        regularizer: τ, weight of the regulariser, at least 0.
        num_classes: C, the number of classes.
        embedding_dim: D, the embedding dimensions.
    """

    pml_keeps = ("proxies",)

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
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        similarity = cosines(embeddings, self.proxies).reshape(len(labels), -1, self.centers)  # (B, C, K)
        relaxed = ((similarity / self.gamma).softmax(dim=2) * similarity).sum(dim=2)  # (B, C)
        logits = relaxed - self.margin * own_class(labels, classes=relaxed.shape[1])
        return functional.cross_entropy(self.scale * logits, labels) + self._regularization()

    def _regularization(self) -> Tensor | float:
        """Return the weighted mean distance between the centres of a class."""
        if self.centers == 1 or self.regularizer == 0:
            return 0.0
        unit = functional.normalize(self.proxies, dim=1).reshape(-1, self.centers, self.proxies.shape[1])  # (C, K, D)
        apart = torch.cdist(unit, unit, compute_mode="donot_use_mm_for_euclid_dist")  # (C, K, K), each pair twice
        return self.regularizer * apart.sum() / (2 * len(unit) * self.centers * (self.centers - 1))
