"""Quasi-Monte Carlo: a slot is a point of one scrambled Sobol sequence, which covers the space evenly.

Source: Sobol', *On the distribution of points in a cube and the approximate evaluation of integrals*, USSR
Computational Mathematics and Mathematical Physics 7(4), 1967; scrambled as by Matoušek, *On the L2-discrepancy for
anchored boxes*, Journal of Complexity 14, 1998, with a seed of the search.

The points are torch's. Optuna's `QMCSampler` counts its points in the study's attributes, which no record holds, draws
its first trial at random, and leaves choices to another sampler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from torch.quasirandom import SobolEngine

from realitycheck.search.samplers.base import Turn


def qmc(turn: Turn) -> BaseSampler:
    """The sampler of one slot; it ignores all trials before it."""
    return SobolPoint(turn)


class SobolPoint(BaseSampler):
    """One point of the sequence, in the order of the names of the space."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The whole space: no hyper-parameter is left to independent draws."""
        return dict(self.turn.space)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Name → value of all hyper-parameters."""
        names = sorted(search_space)
        point = sobol_point(len(names), slot=self.turn.slot, seed=self.turn.search_seed)
        return {name: value_at(search_space[name], share) for name, share in zip(names, point, strict=True)}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Nothing asks for this: `infer_relative_search_space` covers the space."""
        raise AssertionError(param_name)


def sobol_point(dimensions: int, *, slot: int, seed: int) -> list[float]:
    """Point `slot`, from 0, of the scrambled Sobol sequence of this seed, in [0, 1)^dimensions."""
    sequence = SobolEngine(dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    sequence.fast_forward(slot)  # type: ignore[no-untyped-call]
    point: list[float] = sequence.draw(1, dtype=torch.float64)[0].tolist()
    return point


def value_at(distribution: BaseDistribution, share: float) -> Any:
    """The value of a distribution below which `share`, in [0, 1), of it is: its quantile function.

    Integers on a log scale have the shares of the intervals ±0.5 around them.
    """
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    whole = isinstance(distribution, IntDistribution)
    low, high = (distribution.low - 0.5, distribution.high + 0.5) if whole else (distribution.low, distribution.high)
    if distribution.log:
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    value = math.floor(value + 0.5) if whole else value  # `round` would go to the even one
    return min(max(value, distribution.low), distribution.high)
