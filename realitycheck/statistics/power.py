"""Power and detectable differences of a design, before any training."""

from __future__ import annotations

import math

from scipy import optimize

from realitycheck.statistics.base import Estimator


def detectable_difference(
    estimator: Estimator, *, seeds: int, comparisons: int, power: float, sd: float, correlation: float
) -> float:
    """Return the smallest true difference that the design detects with the given power, in the unit of `sd`.

    The test is that of the estimator at α / m, the first step of Holm's correction, which is conservative.

    Args:
        estimator: estimator of the test; α is 1 − its level.
        seeds: number n of paired replicates, at least 2.
        comparisons: size m of the declared family, at least 1.
        power: probability of rejecting, in (α / m, 1); by convention 0.8.
        sd: standard deviation of a loss's score over replicates; with 1 the result is in units of it.
        correlation: correlation of two losses' scores over common replicates, in [-1, 1].

    Raises:
        ValueError: if an argument is out of range.
    """
    _require_test(seeds=seeds, comparisons=comparisons)
    alpha = (1 - estimator.level) / comparisons
    if not alpha < power < 1:
        raise ValueError(f"power {power} is out of range: must be between alpha / comparisons and 1.")

    def excess(effect: float) -> float:
        return estimator.power(effect, replicates=seeds, alpha=alpha) - power

    upper = 1.0
    while excess(upper) < 0:
        upper *= 2
    effect = float(optimize.brentq(excess, 0, upper, xtol=1e-9))
    return effect * sd * math.sqrt(2 * (1 - correlation))


def can_reject(estimator: Estimator, *, seeds: int, comparisons: int) -> bool:
    """Return whether any outcome can pass the first step of Holm's correction; an empty family never can."""
    return comparisons > 0 and estimator.smallest_p(replicates=seeds) <= (1 - estimator.level) / comparisons


def _require_test(*, seeds: int, comparisons: int) -> None:
    if seeds < 2:
        raise ValueError(f"{seeds} seeds are out of range: a paired test needs at least two. Raise `final.seeds`.")
    if comparisons < 1:
        raise ValueError("missing comparison: a family needs at least one. Add a loss besides the baseline.")
