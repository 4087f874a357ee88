"""Softmax over functions of Euclidean distances, for the ablation of Warped-Softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.members.warped_softmax import WarpedSoftmax
from realitycheck.losses.parts.proxies import euclidean, own_class

CURVES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "square": torch.square,
    "root": torch.sqrt,
    "log": torch.log1p,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
"""Functions of a distance in units of the scale; the logarithm is that of 1 + z, so that it is 0 on the proxy."""

WARPS = ("warp", "inner_warp", "outer_warp")
"""The warp of Warped-Softmax, and its two halves: without a slope outside (k₂ = 1), and without one inside (k₁ = 1)."""

NAMES = ("identity", *CURVES, *WARPS)
"""The names of functions."""


class SoftmaxAblation(WarpedSoftmax):
    r"""Classify by a function of the distance to the own proxy, and another one of the distances to all others.

    $$L = \frac{1}{B} \sum_i \log \left(1 + \sum_{c \neq y_i} e^{T (f(d_{i y_i}) - g(d_{ic}))} \right)$$

    d is the Euclidean distance of embedding and proxy; f and g are two functions by name. `identity` is d. `square`,
    `root`, `log`, `exp`, `sigmoid` and `tanh` are s φ(d/s), with φ(z) = z², √z, ln(1 + z), eᶻ, 1 / (1 + e⁻ᶻ) and
    tanh z, so that a length stays one. `warp` is the function of Warped-Softmax, with its handicap; `inner_warp` is the
    same with k₂ = 1, and `outer_warp` with k₁ = 1. DeMoor and Prevost (2024), Eq. 6 and 8, section IV-E and table III.
    The text of the table that is known here has lost the formulas of its rows; which of their functions had constants
    is not known. Two identities are Euclidean softmax; the warp with the identity is Warped-Softmax. A convex function
    of both pushes embeddings away without end, and training may diverge: that is a result. Proxies are initialised as
    in Euclidean softmax. In a second phase, w can only decrease.

    Args:
        own: name of f, the function of the distance to the own proxy.
        other: name of g, the function of the distances to all other proxies.
        scale: s, a length above 0, used by the functions with a φ.
        temperature: T, above 0, a factor of f and g; larger values give a sharper distribution.
        point: w, the point of attraction, a distance above 0; used by the warps, as are the next three.
        inner_slope: k₁, in [0, 1].
        outer_slope: k₂, at least 1.
        handicap: m, at least 1.
        num_classes: C, the number of classes, each with one proxy.
        embedding_dim: D, the embedding dimensions.

    Raises:
        ValueError: a function is unknown.
    """

    lengths: ClassVar[Mapping[str, int]] = {**WarpedSoftmax.lengths, "scale": 1}

    def __init__(
        self,
        *,
        own: str,
        other: str,
        scale: float,
        temperature: float,
        point: float,
        inner_slope: float,
        outer_slope: float,
        handicap: float,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__(
            temperature=temperature,
            point=point,
            inner_slope=inner_slope,
            outer_slope=outer_slope,
            handicap=handicap,
            num_classes=num_classes,
            embedding_dim=embedding_dim,
        )
        for name in (own, other):
            if name not in NAMES:
                raise ValueError(f"unknown function '{name}': must be one of {', '.join(NAMES)}.")
        self.own = own
        self.other = other
        self.scale = scale

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        distance = euclidean(embeddings, self.proxies)  # (B, C)
        own = self._changed(self.own, distance.gather(1, labels[:, None]))  # (B, 1)
        others = self._changed(self.other, distance)
        changed = torch.where(own_class(labels, classes=len(self.proxies)), own, others)
        return functional.cross_entropy(-self.temperature * changed, labels)

    def _changed(self, name: str, distance: Tensor) -> Tensor:
        """Return the function of that name of the distances."""
        if name in CURVES:
            return self.scale * CURVES[name](distance / self.scale)
        if name not in WARPS:
            return distance
        inner = 1.0 if name == "outer_warp" else self.inner_slope
        outer = 1.0 if name == "inner_warp" else self.outer_slope
        return self._warped(distance, inner=inner, outer=outer)
