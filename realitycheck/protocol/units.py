"""Hyper-parameters that are lengths, in units of the initial embedding length.

A loss on raw embeddings has hyper-parameters whose scale is that of the embeddings: a margin, a temperature that
multiplies distances. Where a protocol says `search: {units: head}`, their ranges are in units of E₀, the root mean
square norm of the untrained model's embeddings, so that one range fits every head.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from realitycheck.protocol.knobs import FOLLOWUP
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import Knobs


@dataclass(frozen=True, slots=True)
class LengthUnit:
    """What the lengths among the hyper-parameters of one loss are multiples of.

    Args:
        length: E₀, above 0.
        powers: hyper-parameter of the space → its power of length, never 0.
    """

    length: float
    powers: Mapping[str, int]

    def raw(self, knobs: Knobs, *, factor: float = 1.0) -> dict[str, float | int | str]:
        """The values that the loss gets: x · (factor · E₀)^power for a length x, all others as they are."""
        return {name: _scaled(value, self.length * factor, self.powers.get(name, 0)) for name, value in knobs.items()}

    def relative(self, knobs: Knobs) -> dict[str, float | int | str]:
        """The inverse of `raw`: values for embeddings of length E₀ in units of E₀."""
        return {name: _scaled(value, self.length, -self.powers.get(name, 0)) for name, value in knobs.items()}


def _scaled(value: float | int | str, length: float, power: int) -> float | int | str:
    """By products and quotients alone, which every machine rounds alike."""
    for _ in range(abs(power)):
        value = float(value) * length if power > 0 else float(value) / length
    return value


def powers_of(names: Iterable[str], lengths: Mapping[str, int]) -> dict[str, int]:
    """The powers of those hyper-parameters of a space that are lengths.

    Args:
        names: those of the space; `followup_x` has the power of x, and a `followup_x_scale` has none.
        lengths: what the loss declares.
    """
    own = {name: lengths.get(name.removeprefix(FOLLOWUP), 0) for name in names}
    return {name: power for name, power in sorted(own.items()) if power}


def initial_length(recipe: Recipe, *, width: int, dims: int) -> float | None:
    """E₀ in expectation over the initial weights, or None where it depends on the images.

    Behind a LayerNorm, plain or affine, F features have the norm √F whatever the image. Then
    `kaiming_fan_out` draws D·F weights from N(0, 2/D) and no bias: E₀² = D · F · 2/D = 2F, and
    `fan_in_uniform` draws weights and D biases from U(±1/√F), of variance 1/(3F): E₀² = D · (F + 1) / (3F).

    Without an embedder it is √F.

    Args:
        recipe: LayerNorm and initialisation of the embedder.
        width: F.
        dims: D.
    """
    if recipe.layer_norm == "none":
        return None
    if recipe.embedder_init == "no_embedder":
        return math.sqrt(width)
    return math.sqrt(2 * width if recipe.embedder_init == "kaiming_fan_out" else dims * (width + 1) / (3 * width))


def complete_growth(recipe: Recipe, *, folds: int) -> float:
    """How many times as long as those of a fold model the initial embeddings of the complete model are.

    It has K·D dimensions. With `fan_in_uniform` each has the same mean square whatever their number, so that E₀ grows
    by √K. With `kaiming_fan_out` the mean square of each is as 1/(K·D), and E₀ stays. Both hold for any features, with
    LayerNorm or without it.

    Args:
        recipe: initialisation of the embedder.
        folds: K.
    """
    return 1.0 if recipe.embedder_init == "kaiming_fan_out" else math.sqrt(folds)
