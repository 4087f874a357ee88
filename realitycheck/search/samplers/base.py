"""What a sampler may depend on beside the trials before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optuna.distributions import BaseDistribution


@dataclass(frozen=True, slots=True)
class Turn:
    """One slot of a search. A fresh sampler is made for every turn, so nothing else survives from slot to slot.

    Args:
        slot: number of the slot, from 0.
        seed: seed of this slot, in [0, 2^32).
        search_seed: seed that all slots of the search share, in [0, 2^32).
        space: hyper-parameter → distribution.
    """

    slot: int
    seed: int
    search_seed: int
    space: Mapping[str, BaseDistribution]
