"""What a design can find, said before any compute is spent."""

from __future__ import annotations

import math
from typing import Literal

from scipy import integrate, optimize, special, stats

Method = Literal["student_t", "sign_flip"]
"""The paired t test, or an exact test over the 2ⁿ sign patterns of n paired differences."""


def paired_power(effect: float, *, seeds: int, alpha: float) -> float:
    """The chance that a two-sided paired t test at level `alpha` rejects.

    Args:
        effect: true mean difference in units of the standard deviation of the paired differences, at least 0.
        seeds: n, at least 2.
        alpha: the level of the one test, after any correction, in (0, 1).

    Source: Cohen (1988), Statistical Power Analysis. The noncentral t distribution is written as a normal
    mean over a chi-distributed spread and integrated, because `scipy.stats.nct` gives NaN at few seeds.
    """
    freedom, shift = seeds - 1, effect * math.sqrt(seeds)
    edge = float(stats.t.isf(alpha / 2, freedom))
    log_constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)

    def rejects(s: float) -> float:
        given = special.ndtr(shift - edge * s) + special.ndtr(-shift - edge * s)
        density = math.exp(log_constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
        return float(given) * density

    low, high = (math.sqrt(float(stats.chi2.ppf(u, freedom)) / freedom) for u in (1e-12, 1 - 1e-12))
    step = min(max(shift / edge, low), high)
    return float(sum(integrate.quad(rejects, *part, limit=200)[0] for part in ((low, step), (step, high))))


def detectable_difference(
    *, seeds: int, comparisons: int, alpha: float, power: float, sd: float, correlation: float
) -> float:
    """The smallest true difference that the design finds with the wanted power, in the unit of `sd`.

    The test is the paired t test at α / m, the first step of Holm's correction, so it is on the safe side.

    Args:
        seeds: paired seeds n, at least 2.
        comparisons: m, the size of the declared family, at least 1.
        alpha: the level of the family, in (0, 1).
        power: the wanted chance of rejecting, in (alpha, 1); 0.8 by custom.
        sd: standard deviation of one loss's score over seeds; 1 gives the answer in units of it.
        correlation: of the two losses' scores over common seeds, in [-1, 1].
    """
    _require_test(seeds=seeds, comparisons=comparisons)
    if not alpha / comparisons < power < 1:
        raise ValueError(f"power must lie between alpha / comparisons and 1; got {power}.")

    def lacking(effect: float) -> float:
        return paired_power(effect, seeds=seeds, alpha=alpha / comparisons) - power

    reach = 1.0
    while lacking(reach) < 0:
        reach *= 2
    effect = float(optimize.brentq(lacking, 0, reach, xtol=1e-9))
    return effect * sd * math.sqrt(2 * (1 - correlation))


def smallest_p(*, seeds: int, method: Method) -> float:
    """The smallest p that the test can give: 0 for t from two seeds on, 2 · 2⁻ⁿ for exact sign tests."""
    if seeds < 2:
        return 1.0
    return 0.0 if method == "student_t" else 2.0 ** (1 - seeds)


def can_reject(*, seeds: int, comparisons: int, alpha: float, method: Method) -> bool:
    """Whether any outcome could make the first step of Holm's correction reject; if not, refuse the design.

    Ten seeds cannot pass an exact test over 78 pairs: 0.00195 > 0.05 / 78. Nor can an empty family.
    """
    return comparisons > 0 and smallest_p(seeds=seeds, method=method) <= alpha / comparisons


def _require_test(*, seeds: int, comparisons: int) -> None:
    if seeds < 2:
        raise ValueError(f"a paired test needs at least two seeds; got {seeds}. Raise final.seeds.")
    if comparisons < 1:
        raise ValueError("a family needs at least one comparison. Add a loss beside the baseline.")
