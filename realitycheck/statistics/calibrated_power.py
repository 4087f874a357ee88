"""Standard errors that `searches_calibrated` will find, in simulated studies of losses with equal luck."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realitycheck.statistics.base import Design

STUDIES = 4000
"""Simulated studies; the power is then known to about ±0.01."""

SCORES = 20_000_000
"""The most scores that are drawn: with many losses and searches κ varies less, and fewer studies are enough."""

LEAST_NEAR = 2
"""The fewest near-best settings of a simulated search."""

Table = NDArray[np.float64]


def calibrated(design: Design, *, replicates: int, losses: int, near: int, few: bool) -> Design:
    """Return the design of `searches_pooled` with the standard errors that `searches_calibrated` finds in its place.

    Without the standard errors, a difference that is said to be found with 80 % power is found in 60 to 70 % of studies
    (docs/statistics.md).

    Args:
        design: of `searches_pooled`, with as many independent values as a loss has searches.
        replicates: of a loss.
        losses: L, of the study.
        near: near-best settings of one search that are scored, at most, the chosen one among them.
        few: whether the losses are too few to take out what they have in common in a search.
    """
    searches = design.independent
    share = replicates // searches
    if share < 2 or near < LEAST_NEAR or losses < 2:  # then the fit is that of `searches_pooled`, or there is none
        return design
    errors = calibrated_errors(losses=losses, searches=searches, share=share, near=near, few=few)
    return replace(design, errors=errors)


def calibrated_errors(*, losses: int, searches: int, share: int, near: int, few: bool) -> tuple[float, ...]:
    """Return standard errors of a difference, in units of its true one, in simulated studies of one seeded generator.

    A setting near the best of a search varies as much over settings as a score over seeds, and is alike for all losses:
    the luck of the error rates in docs/statistics.md, without what all losses have in common in a search. A search has
    2 to `near` near-best settings, with equal probability.

    Args:
        losses: L, of the study.
        searches: M of a loss, at least 2.
        share: replicates of one search, at least 2.
        near: near-best settings of a search, at most, at least 2.
        few: whether the losses are too few to take out what they have in common in a search.
    """
    rng = np.random.default_rng((losses, searches, share, near))
    shape = (min(STUDIES, 1 + SCORES // (losses * searches * near)), losses, searches)
    settings = rng.normal(size=(*shape, near))
    means = settings[..., 0] + rng.normal(scale=1 / math.sqrt(share), size=shape)
    freedom = losses * searches * (share - 1)
    seeds = rng.chisquare(freedom, size=(shape[0], 1)) / freedom
    counts = rng.integers(LEAST_NEAR, near, endpoint=True, size=shape)
    spread = _spread(settings + rng.normal(size=settings.shape), counts) - seeds[..., None] * (1 - 1 / counts)
    variances = np.maximum(0, spread.mean(axis=2)) + seeds / share
    factors = np.maximum(1, _kappas(means, variances, few=few))
    squares = factors * (variances[:, 0] + variances[:, 1]) / (2 * (1 + 1 / share))
    return tuple(map(float, np.sqrt(squares)))


def _spread(scores: Table, counts: NDArray[np.int64]) -> Table:
    """The mean square around the mean of the first `counts` scores of the last axis."""
    kept = np.arange(scores.shape[-1]) < counts[..., None]
    centre = (scores * kept).sum(axis=-1) / counts
    spread: Table = (((scores - centre[..., None]) * kept) ** 2).sum(axis=-1) / counts
    return spread


def _kappas(means: Table, variances: Table, *, few: bool) -> Table:
    """κ of every study: the mean of the squared gaps between searches in units of the variances."""
    weights = 1 / variances[..., None]
    gaps = means - means.mean(axis=2, keepdims=True)
    shared = 0.0 if few else (weights * gaps).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    freedom = (means.shape[1] - (0 if few else 1)) * (means.shape[2] - 1)
    kappas: Table = (weights * (gaps - shared) ** 2).sum(axis=(1, 2)) / freedom
    return kappas
