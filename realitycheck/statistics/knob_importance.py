"""How much every hyper-parameter of a search matters for being among its best trials: PED-ANOVA."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from realitycheck.statistics.near_best import Place

TOP = 0.2
"""The share of trials that counts as the best ones; of 25 trials these are five."""

FEWEST = 5
"""With fewer trials among the best ones the result is too unstable, as optuna's documentation of its evaluator says."""

NARROWEST = 0.5 / 1.64
"""The smallest bandwidth, in grid points: such a kernel has 90 % of its mass within its own cell."""

PRIOR = 1.0
"""Weight of the flat kernel that is added to the trials."""

FLOOR = 1e-12
"""Added to each probability, so that none is zero."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The grid of one hyper-parameter.

    Args:
        points: number of grid points, evenly spaced over the range on its own scale, at least 2.
        options: the names of a choice, which has a grid point each; empty for a range of numbers.
    """

    points: int
    options: tuple[str, ...] = ()


def knob_importance(
    values: Sequence[float | None], places: Sequence[Mapping[str, Place]], *, axes: Mapping[str, Axis]
) -> dict[str, float]:
    """Return the share of every hyper-parameter, with sum 1; empty with fewer than `FEWEST` trials among the best.

    The density of the best trials along one hyper-parameter is compared with that of all trials, by Pearson's
    divergence Σ q (p / q − 1)². Both are kernel estimates on a grid.

    Args:
        values: one value per trial, higher is better; None for one that diverged.
        places: the hyper-parameters of each trial, as shares of their ranges or as names of options.
        axes: the grid of each hyper-parameter.

    Source: Watanabe, Bansal and Hutter (2023), arXiv:2304.10255, Eq. 8 with γ = 1 and γ' = `TOP`; kernels as in
    optuna's `PedAnovaImportanceEvaluator`.
    """
    known = [number for number, value in enumerate(values) if value is not None]
    heights = np.array([value for value in values if value is not None])
    wanted = math.ceil(TOP * len(known))
    if wanted < FEWEST or not axes:
        return {}
    best = heights >= np.sort(heights)[-wanted]
    divergences = {}
    for name, axis in axes.items():
        cells = np.array([_cell(places[number][name], axis) for number in known])
        divergences[name] = _divergence(_density(cells[best], axis), _density(cells, axis))
    total = math.fsum(divergences.values())
    return {name: value / total for name, value in divergences.items()} if total else {}


def _cell(place: Place, axis: Axis) -> int:
    """The grid point of a value."""
    if isinstance(place, str):
        return axis.options.index(place)
    last = axis.points - 1
    return min(max(math.ceil(place * last - 0.5), 0), last)


def _divergence(best: NDArray[np.float64], every: NDArray[np.float64]) -> float:
    return float(every @ ((best / every - 1) ** 2))


def _density(cells: NDArray[np.int64], axis: Axis) -> NDArray[np.float64]:
    """The probability of each grid point: one kernel per occupied grid point, and a flat one."""
    counts = np.bincount(cells, minlength=axis.points)
    occupied = np.flatnonzero(counts)
    weights = np.append(counts[occupied], PRIOR)
    kernels = _option_kernels(occupied, axis) if axis.options else _number_kernels(occupied, counts[occupied], axis)
    density: NDArray[np.float64] = weights @ kernels / weights.sum() + FLOOR
    return density


def _option_kernels(occupied: NDArray[np.int64], axis: Axis) -> NDArray[np.float64]:
    kernels = np.full((len(occupied) + 1, axis.points), PRIOR / (len(occupied) + 1))
    kernels[np.arange(len(occupied)), occupied] += 1
    normal: NDArray[np.float64] = kernels / kernels.sum(axis=1, keepdims=True)
    return normal


def _number_kernels(occupied: NDArray[np.int64], counts: NDArray[np.int64], axis: Axis) -> NDArray[np.float64]:
    """Normal kernels, integrated over the cells of the grid and cut off at its ends."""
    middle = (axis.points - 1) / 2
    centres = np.append(occupied, middle)[:, None]
    widths = np.append(np.full(len(occupied), _bandwidth(occupied, counts)), axis.points)[:, None]
    edges = np.arange(axis.points + 1) - 0.5
    heights = special.ndtr((edges - centres) / widths)
    kernels: NDArray[np.float64] = np.diff(heights, axis=1) / (heights[:, -1:] - heights[:, :1])
    return kernels


def _bandwidth(occupied: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """Scott's rule with the smaller of the standard deviation and the interquartile range.

    Source: Scott (1992), Multivariate Density Estimation, Eq. 6.42.
    """
    total, running = int(counts.sum()), np.cumsum(counts)
    mean = float(occupied @ counts) / total
    spread = math.sqrt(float((occupied - mean) ** 2 @ counts) / max(1, total - 1))
    first = int(np.searchsorted(running, total // 4, side="left"))
    third = min(len(occupied) - 1, int(np.searchsorted(running, total * 3 // 4, side="right")))
    quartiles = float(occupied[third] - occupied[first])
    return max(1.059 * min(quartiles / 1.34, spread) * math.pow(total, -0.2), NARROWEST)
