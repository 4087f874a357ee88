"""Warped-Softmax loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.members.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.parts.proxies import euclidean, own_class


class WarpedSoftmax(EuclideanSoftmax):
    r"""Euclidean softmax with attraction to a distance w from the proxy instead of to the proxy itself.

    $$L = \frac{1}{B} \sum_i \log \left(1 + \sum_{c \neq y_i} e^{T (f(d_{i y_i}) - d_{ic})} \right)$$

    d is the Euclidean distance of embedding and proxy. Inside the point of attraction, d < w, f(d) = k₁ d + m Δ with
    the handicap Δ = (1 − k₁) d, which has no gradient; from w on, f(d) = k₂ d + w (1 − k₂). So the attraction is
    reduced by k₁ inside and increased by k₂ outside, and embeddings settle near w. DeMoor and Prevost (2024), Eq. 7 and
    8, with m as in Fig. 8. With m above 1 the value is discontinuous at w, but not the gradient. Proxies are
    initialised as in Euclidean softmax. In a second phase, w can only decrease.

    Args:
        temperature: T, above 0, a factor of the distances as in the paper; larger values give a sharper distribution.
        point: w, the point of attraction, a distance above 0, in units of the embeddings.
        inner_slope: k₁, in [0, 1].
        outer_slope: k₂, at least 1. With k₁ = k₂ = 1 the loss is Euclidean softmax.
        handicap: m, at least 1.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.
    """

    lower_in_followup = ("point",)
    # w is compared with distances; slopes and handicap are ratios.
    lengths: ClassVar[Mapping[str, int]] = {**EuclideanSoftmax.lengths, "point": 1}

    def __init__(
        self,
        *,
        temperature: float,
        point: float,
        inner_slope: float,
        outer_slope: float,
        handicap: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__(temperature=temperature, num_classes=num_classes, embedding_dim=embedding_dim)
        self.point = point
        self.inner_slope = inner_slope
        self.outer_slope = outer_slope
        self.handicap = handicap

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        distance = euclidean(embeddings, self.proxies)  # (B, C)
        own = distance.gather(1, labels[:, None])
        warped = self._warped(own, inner=self.inner_slope, outer=self.outer_slope)  # (B, 1)
        changed = torch.where(own_class(labels, classes=len(self.proxies)), warped, distance)
        return functional.cross_entropy(-self.temperature * changed, labels)

    def _warped(self, distance: Tensor, *, inner: float, outer: float) -> Tensor:
        """Return f of distances, with the slopes k₁ inside and k₂ outside."""
        handicap = self.handicap * (1 - inner) * distance.detach()
        inside = inner * distance + handicap
        outside = outer * distance + self.point * (1 - outer)
        return torch.where(distance < self.point, inside, outside)
