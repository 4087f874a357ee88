"""Values of knobs at which a loss is another loss of the menu, readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.losses import menu

Value = float | int | str


@dataclass(frozen=True, slots=True)
class Reduction:
    """Values at which the formula of a loss is that of another one, in the value and in its gradients.

    Initial class vectors may differ: each loss has those of its own source.

    Args:
        at: knob → value; all of them together.
        loss: name of the other loss on the menu; None for the loss that a wrapper wraps.
    """

    at: Mapping[str, Value]
    loss: str | None


_COSINE = "normalized_softmax"
_EUCLIDEAN = "euclidean_softmax"
_PLAIN = {"other": "identity"}

REDUCTIONS: Mapping[str, tuple[Reduction, ...]] = {
    "cosface": (Reduction({"margin": 0}, _COSINE),),
    "arcface": (Reduction({"margin": 0}, _COSINE),),
    "arcface_periodic": (Reduction({"margin": 0}, _COSINE),),
    "sphereface_r": (Reduction({"margin": 1}, _COSINE),),
    "magface": (Reduction({"lower_margin": 0, "margin_gap": 0, "norm_weight": 0}, _COSINE),),
    "soft_triple": (Reduction({"centers": 1, "margin": 0}, _COSINE), Reduction({"centers": 1}, "cosface")),
    "proxy_gml": (Reduction({"ratio": 1, "centers": 1, "regularizer": 0}, _COSINE),),
    "warped_softmax": (Reduction({"inner_slope": 1, "outer_slope": 1}, _EUCLIDEAN),),
    "softmax_ablation": (
        Reduction({"own": "identity", **_PLAIN}, _EUCLIDEAN),
        Reduction({"own": "inner_warp", **_PLAIN, "inner_slope": 1}, _EUCLIDEAN),
        Reduction({"own": "outer_warp", **_PLAIN, "outer_slope": 1}, _EUCLIDEAN),
        Reduction({"own": "warp", **_PLAIN, "inner_slope": 1, "outer_slope": 1}, _EUCLIDEAN),
        Reduction({"own": "warp", **_PLAIN}, "warped_softmax"),
    ),
    "roadmap": (Reduction({"mix": 1}, "contrastive_cosine"),),
    "cross_batch_memory": (Reduction({"memory_weight": 0}, None),),
    "hierarchical_proxy": (Reduction({"coarse_weight": 0}, None),),
    "threshold_consistent_margin": (Reduction({"positive_weight": 0, "negative_weight": 0}, None),),
}
"""Name on the menu → its reductions; of several that hold, the first one counts."""


def reductions(address: str) -> tuple[tuple[Reduction, str], ...]:
    """Return the reductions of a loss, wrapped or not, each with the name of the other loss; none for other classes."""
    outer, *inner = menu.parts(address)
    named = [(one, one.loss or "".join(inner)) for one in REDUCTIONS.get(outer, ())]
    return tuple((one, name) for one, name in named if name)
