"""Studies of losses that are equal over all classes, with a sample of test classes, drawn from a generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.statistics.base import LossScores

SHAPES: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda rng, count: rng.normal(0, 1, count),
    "skewed": lambda rng, count: (rng.gamma(2.0, 1.0, count) - 2) / np.sqrt(2),
}
"""Distributions of scores over classes, with mean 0 and variance 1."""


@dataclass(frozen=True)
class ClassLuck:
    """The variation over classes, as standard deviations in points.

    All losses share how hard a class is (`hard`); `taste` is what a loss makes of a class; `search` moves all classes
    of a search, and `seed` one class under one seed.
    """

    hard: float
    taste: float
    search: float
    seed: float
    shape: str


def class_study(
    rng: np.random.Generator, luck: ClassLuck, *, losses: int, classes: int, searches: int, replicates: int
) -> dict[str, LossScores]:
    """Draw one study; `replicates` are those of one search."""
    draw = SHAPES[luck.shape]
    hard = luck.hard * draw(rng, classes)
    drawn = {}
    for number in range(losses):
        own = hard + luck.taste * draw(rng, classes)
        moved = np.repeat(rng.normal(0, luck.search, searches), replicates)
        cells = own + moved[:, None] + rng.normal(0, luck.seed, (searches * replicates, classes))
        drawn[f"loss {number}"] = LossScores(cells.mean(axis=1).tolist(), (), tuple(map(tuple, cells.tolist())))
    return drawn
