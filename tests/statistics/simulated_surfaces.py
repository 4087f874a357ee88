"""Studies of equal losses on surfaces of hyper-parameters: a search tries settings, and its runners-up follow from it.

Validation prefers settings near the optimum of a loss. The test score of a setting differs from its validation value
by a rough random function of the setting, whose size is the luck of the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.near_best import near_best

SLOPE = 8.0
"""Points of validation lost at distance 1 from the optimum, in squared shares of the ranges."""
TRIAL = 0.2
"""Standard deviation of a trial's validation value over seeds, in points."""
ROUGH = 0.15
"""Distance at which the test scores of two settings are little alike, in shares of a range."""
WAVES = 256
"""Cosines in the random function."""


@dataclass(frozen=True)
class Searched:
    """The outcome of one search: test scores without the noise of seeds, the chosen trial's first."""

    near_best: tuple[float, ...]


@dataclass(frozen=True)
class Bank:
    """Independent searches of one loss, centred: their chosen settings score 0 on average."""

    searches: tuple[Searched, ...]


def bank(rng: np.random.Generator, *, knobs: int, luck: float, trials: int, searches: int) -> Bank:
    """Search one random surface many times.

    Args:
        rng: draws the surface and the searches.
        knobs: number of hyper-parameters.
        luck: standard deviation of the test score over settings that validate alike, in points.
        trials: trials of a search; the first third are drawn from the whole space, and later ones half of the time near
            the best so far.
        searches: number of searches.
    """
    optimum = rng.uniform(0.2, 0.8, knobs)
    waves, phases = rng.normal(0, 1 / ROUGH, (WAVES, knobs)), rng.uniform(0, 2 * np.pi, WAVES)
    found = []
    for _ in range(searches):
        places, values = _search(rng, optimum, trials)
        rough = luck * np.sqrt(2 / WAVES) * np.cos(places @ waves.T + phases).sum(axis=1)
        named = [{str(knob): float(place) for knob, place in enumerate(row)} for row in places]
        taken = near_best(values.tolist(), named, noise=TRIAL)
        found.append([float(_height(places[trial], optimum) + rough[trial]) for trial in taken])
    centre = np.mean([scores[0] for scores in found])
    return Bank(tuple(Searched(tuple(score - centre for score in scores)) for scores in found))


def _height(places: NDArray[np.float64], optimum: NDArray[np.float64]) -> NDArray[np.float64]:
    height: NDArray[np.float64] = -SLOPE * ((places - optimum) ** 2).sum(axis=-1)
    return height


def _search(
    rng: np.random.Generator, optimum: NDArray[np.float64], trials: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places = rng.uniform(0, 1, (trials, len(optimum)))
    values = _height(places, optimum) + rng.normal(0, TRIAL, trials)
    for trial in range(trials // 3, trials):
        if rng.uniform() < 0.5:
            best = places[int(np.argmax(values[:trial]))]
            places[trial] = np.clip(best + rng.normal(0, 0.15, len(optimum)), 0, 1)
        values[trial] = _height(places[trial], optimum) + rng.normal(0, TRIAL)
    return places, values


def study_of_banks(
    rng: np.random.Generator, banks: list[Bank], *, searches: int, replicates: int, shared: float, seed: float
) -> dict[str, LossScores]:
    """Draw one study with a loss per bank; `replicates` are those of one search."""
    common = rng.normal(0, shared, searches)
    drawn = {}
    for number, own in enumerate(banks):
        picked = [own.searches[place] for place in rng.choice(len(own.searches), searches, replace=False)]
        scores = [
            value
            for search, shift in zip(picked, common, strict=True)
            for value in (search.near_best[0] + shift + rng.normal(0, seed, replicates)).tolist()
        ]
        near = tuple(
            tuple((np.array(search.near_best) + rng.normal(0, seed, len(search.near_best))).tolist())
            for search in picked
        )
        drawn[f"loss {number}"] = LossScores(scores, near)
    return drawn
