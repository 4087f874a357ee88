"""Power and detectable differences of a design, before any training."""

from __future__ import annotations

import math
from typing import Literal

from scipy import integrate, optimize, special, stats

Method = Literal["student_t", "sign_flip"]
"""The paired t test, or an exact test over the 2ⁿ sign patterns of n paired differences."""


def paired_power(effect: float, *, seeds: int, alpha: float) -> float:
    """Return the power of a two-sided paired t test at level `alpha`.

    Args:
        effect: true mean difference in units of the standard deviation of the paired differences, at least 0.
        seeds: number n of paired seeds, at least 2.
        alpha: level of the single test, after any correction, in (0, 1).

    Source: Cohen (1988), Statistical Power Analysis. The noncentral t distribution is computed as a normal mean
    integrated over a chi-distributed standard deviation, because `scipy.stats.nct` returns NaN at few seeds.
    """
    freedom, shift = seeds - 1, effect * math.sqrt(seeds)
    edge = float(stats.t.isf(alpha / 2, freedom))
    log_constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)

    def rejects(s: float) -> float:
        conditional = special.ndtr(shift - edge * s) + special.ndtr(-shift - edge * s)
        density = math.exp(log_constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
        return float(conditional) * density

    low, high = (math.sqrt(float(stats.chi2.ppf(u, freedom)) / freedom) for u in (1e-12, 1 - 1e-12))
    step = min(max(shift / edge, low), high)
    return float(sum(integrate.quad(rejects, *part, limit=200)[0] for part in ((low, step), (step, high))))


def detectable_difference(
    *, seeds: int, comparisons: int, alpha: float, power: float, sd: float, correlation: float
) -> float:
    """Return the smallest true difference that the design detects with the given power, in the unit of `sd`.

    The test is the paired t test at α / m, the first step of Holm's correction, which is conservative.

    Args:
        seeds: number n of paired seeds, at least 2.
        comparisons: size m of the declared family, at least 1.
        alpha: level of the family, in (0, 1).
        power: probability of rejecting, in (alpha / m, 1); by convention 0.8.
        sd: standard deviation of a loss's score over seeds; with 1 the result is in units of it.
        correlation: correlation of two losses' scores over common seeds, in [-1, 1].

    Raises:
        ValueError: if an argument is out of range.
    """
    _require_test(seeds=seeds, comparisons=comparisons)
    if not alpha / comparisons < power < 1:
        raise ValueError(f"power {power} is out of range: must be between alpha / comparisons and 1.")

    def excess(effect: float) -> float:
        return paired_power(effect, seeds=seeds, alpha=alpha / comparisons) - power

    upper = 1.0
    while excess(upper) < 0:
        upper *= 2
    effect = float(optimize.brentq(excess, 0, upper, xtol=1e-9))
    return effect * sd * math.sqrt(2 * (1 - correlation))


def smallest_p(*, seeds: int, method: Method) -> float:
    """Return the smallest possible p-value: 0 for the t test from two seeds on, 2 · 2⁻ⁿ for exact sign tests."""
    if seeds < 2:
        return 1.0
    return 0.0 if method == "student_t" else 2.0 ** (1 - seeds)


def can_reject(*, seeds: int, comparisons: int, alpha: float, method: Method) -> bool:
    """Return whether any outcome can pass the first step of Holm's correction.

    Ten seeds cannot pass an exact test over 78 pairs: 0.00195 > 0.05 / 78. An empty family cannot either.
    """
    return comparisons > 0 and smallest_p(seeds=seeds, method=method) <= alpha / comparisons


def _require_test(*, seeds: int, comparisons: int) -> None:
    if seeds < 2:
        raise ValueError(f"{seeds} seeds are out of range: a paired test needs at least two. Raise `final.seeds`.")
    if comparisons < 1:
        raise ValueError("missing comparison: a family needs at least one. Add a loss besides the baseline.")
