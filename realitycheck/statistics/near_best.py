"""Choose the runners-up of a search: settings that validation cannot distinguish from the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

APART = 0.1
"""The least distance of two near-best settings in one hyper-parameter, in shares of its range."""

MOST = 5
"""The most near-best settings of one search, the chosen one among them."""

WINDOW = 1.96 * math.sqrt(2)
"""How far below the best a value may be, in standard deviations of a trial's value over seeds."""

Place = float | str
"""A hyper-parameter as a share of its range in [0, 1], on the range's own scale, or the name of a category."""


def near_best(
    values: Sequence[float | None], places: Sequence[Mapping[str, Place]], *, noise: float
) -> tuple[int, ...]:
    """Return the trials of one search that validation cannot distinguish from its best one, the best first.

    Trials are taken by value, ties by number. One is taken if it differs from every one taken by at least `APART` in
    some hyper-parameter; another category counts 1. At most `MOST` are taken, and none outside the window.

    Args:
        values: one value per trial; None for one that diverged.
        places: the hyper-parameters of each trial.
        noise: standard deviation of a trial's value over seeds, at least 0.
    """
    completed = [(value, number) for number, value in enumerate(values) if value is not None]
    order = [number for _, number in sorted(completed, key=lambda pair: (-pair[0], pair[1]))]
    edge = max((value for value, _ in completed), default=0.0) - WINDOW * noise
    taken: list[int] = []
    for number in order:
        value = values[number]
        if len(taken) == MOST or value is None or value < edge:
            break
        if all(distance(places[number], places[other]) >= APART for other in taken):
            taken.append(number)
    return tuple(taken)


def retraining_noise(values: Sequence[Sequence[float]]) -> float:
    """Return the standard deviation of a trial's value over seeds, pooled over settings; 0 without two values of one.

    Args:
        values: per setting, its validation value under each seed.
    """
    freedom = sum(max(0, len(row) - 1) for row in values)
    squares = [(value - math.fsum(row) / len(row)) ** 2 for row in values for value in row]
    return math.sqrt(math.fsum(squares) / freedom) if freedom else 0.0


def distance(one: Mapping[str, Place], other: Mapping[str, Place]) -> float:
    """Return the largest distance of two settings in a hyper-parameter; one without hyper-parameters is at 0."""
    return max((_apart(one[name], other[name]) for name in one), default=0.0)


def _apart(one: Place, other: Place) -> float:
    if isinstance(one, str) or isinstance(other, str):
        return float(one != other)
    return abs(one - other)
