"""Studies of equal losses with luck of the search in them, drawn from a generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realitycheck.statistics.base import LossScores


@dataclass(frozen=True)
class Luck:
    """The variation of a simulated study, as standard deviations.

    Every setting near the best has a test score of its own around that of its loss (`search`, one per loss). What all
    losses share in a search is `shared`; a score varies by `seed` over seeds. A search has between two and `most`
    near-best settings, and chooses one of them.
    """

    search: tuple[float, ...]
    shared: float
    seed: float
    most: int = 5


def study(
    rng: np.random.Generator, luck: Luck, *, searches: int, replicates: int, effects: tuple[float, ...]
) -> dict[str, LossScores]:
    """Draw one study; `replicates` are those of one search, and `effects` are added to the losses."""
    common = rng.normal(0, luck.shared, searches)
    drawn = {}
    for number, (own, effect) in enumerate(zip(luck.search, effects, strict=True)):
        settings = [rng.normal(effect, own, rng.integers(2, luck.most + 1)) for _ in range(searches)]
        scores = [
            value
            for setting, shift in zip(settings, common, strict=True)
            for value in setting[0] + shift + rng.normal(0, luck.seed, replicates)
        ]
        near_best = tuple(tuple(setting + rng.normal(0, luck.seed, len(setting))) for setting in settings)
        drawn[f"loss {number}"] = LossScores(scores, near_best)
    return drawn
