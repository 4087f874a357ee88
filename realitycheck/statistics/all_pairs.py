"""Compare all pairs of losses at once, by the step-down method on the largest t."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.statistics.base import Fit, MeanEstimate

DRAWS = 20_000
"""Draws from the joint distribution: a p-value of 0.05 then has a standard error of 0.0015."""

BLOCK = 2_000
"""Draws held in memory at a time."""

TOGETHER = 250
"""Draws stepped down at a time: 561 pairs of them fit into a cache of 2 MB, which takes a fifth of the time."""

RIDGE = 1e-10
"""Added to the diagonal of the covariance, as a share of its mean, so that it has a Cholesky factor."""


@dataclass(frozen=True, slots=True)
class LossPair:
    """One loss minus another.

    Args:
        label: the first loss.
        other: the second one.
        mean: the difference, in the unit of the scores.
        low: lower end of the simultaneous interval: all of them hold together at the level.
        high: its upper end.
        p: two-sided p-value of no difference, of this pair alone.
        p_stepdown: p-value of the observed sign, corrected for both signs of all pairs.
    """

    label: str
    other: str
    mean: float
    low: float
    high: float
    p: float
    p_stepdown: float


def all_pairs(
    fit: Fit, labels: Sequence[str], *, level: float, undecided: Collection[str], rng: np.random.Generator
) -> list[LossPair]:
    """Compare all pairs of losses with an estimate, in order; empty with fewer than two such losses.

    Each pair has two one-sided hypotheses, one per sign. The largest statistic is compared with the distribution of
    the largest of all, by simulation from the estimator's covariance; then the next one with that of those that are
    left. The hypotheses of the other sign are never rejected and stay in. So the chance of any false sign is at most
    1 − level. With equal and independent variances the first step is Tukey's studentised range.

    Args:
        fit: what an estimator found.
        labels: the losses.
        level: 1 − α, in (0, 1).
        undecided: labels of losses that get no verdict; they are left out.
        rng: source of the draws.

    Source: Romano and Wolf (2005), J. Am. Stat. Assoc. 100:94, "Exact and approximate stepdown methods for multiple
    hypothesis testing".
    """
    known = [label for label in labels if label not in undecided and fit.loss(label) is not None]
    names = list(itertools.combinations(known, 2))
    differences = [fit.pair(*pair) for pair in names]
    estimates = [estimate for estimate in differences if estimate is not None]
    if not estimates or len(estimates) < len(names):
        return []
    drawn = _largest(estimates, len(known), own=fit.own_variances, rng=rng)
    edge = float(np.quantile(np.maximum(drawn.max(axis=1), -drawn.min(axis=1)), level))
    adjusted = _step_down(np.array([_statistic(estimate) for estimate in estimates]), drawn)
    return [
        LossPair(
            *pair,
            estimate.mean,
            estimate.mean - edge * estimate.error,
            estimate.mean + edge * estimate.error,
            p=estimate.p,
            p_stepdown=float(p),
        )
        for pair, estimate, p in zip(names, estimates, adjusted, strict=True)
    ]


def _statistic(estimate: MeanEstimate) -> float:
    if estimate.error == 0:
        return math.copysign(math.inf, estimate.mean) if estimate.mean else 0.0
    return estimate.mean / estimate.error


def _largest(
    estimates: Sequence[MeanEstimate], losses: int, *, own: bool, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draws of the statistics of all pairs where no two losses differ, (draws, pairs)."""
    factor = _factor(estimates, losses)
    errors = np.array([estimate.error or 1.0 for estimate in estimates])
    freedom = min(estimate.freedom for estimate in estimates)
    first, second = (np.array(column) for column in zip(*itertools.combinations(range(losses), 2), strict=True))
    blocks = []
    for _ in range(DRAWS // BLOCK):
        means = rng.standard_normal((BLOCK, losses)) @ factor.T
        gaps = means[:, first] - means[:, second]
        if own:
            rows = rng.standard_normal((BLOCK, math.ceil(freedom), losses)) @ factor.T
            spreads = np.sqrt(((rows[:, :, first] - rows[:, :, second]) ** 2).mean(axis=1))
            blocks.append(gaps / np.where(spreads > 0, spreads, 1.0))
        else:
            scale = np.sqrt(rng.chisquare(freedom, (BLOCK, 1)) / freedom)
            blocks.append(gaps / (errors * scale))
    return np.concatenate(blocks)


def _factor(estimates: Sequence[MeanEstimate], losses: int) -> NDArray[np.float64]:
    """A Cholesky factor of a covariance of the losses' means whose differences have the variances of the estimates.

    What all losses share has no effect on differences, so the covariance is only known apart from a constant. It is
    −½ J D J with D the variances of differences and J the centring matrix, as in classical scaling.
    """
    squares = np.zeros((losses, losses))
    for (one, other), estimate in zip(itertools.combinations(range(losses), 2), estimates, strict=True):
        squares[one, other] = squares[other, one] = estimate.error**2
    centring = np.eye(losses) - 1 / losses
    covariance = -0.5 * centring @ squares @ centring
    size = float(np.trace(covariance)) / losses or 1.0
    return np.linalg.cholesky(covariance + size * (1 / losses + RIDGE * np.eye(losses))).astype(np.float64)


def _step_down(statistics: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p-value of every observed sign, in the given order."""
    order = np.argsort(-np.abs(statistics), kind="stable")
    signs, size = np.sign(statistics[order])[:, None], np.abs(statistics[order])[:, None]
    reached = np.zeros(len(order), dtype=np.int64)
    for start in range(0, len(drawn), TOGETHER):
        block = drawn[start : start + TOGETHER].T[order]
        left = np.maximum.accumulate(np.abs(block)[::-1])[::-1]
        opposite = np.maximum.accumulate(-signs * block)
        left[1:] = np.maximum(left[1:], opposite[:-1])
        reached += (left >= size).sum(axis=1)
    raw = (1 + reached) / (1 + len(drawn))
    adjusted: NDArray[np.float64] = np.empty(len(raw))
    adjusted[order] = np.maximum.accumulate(raw)
    return adjusted
