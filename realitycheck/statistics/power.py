"""Power and detectable differences: of a design before any training, and of a measured standard error."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from realitycheck.statistics.base import Design, Estimator, MeanEstimate
from realitycheck.statistics.estimators import agreeing


def power(design: Design, effect: float, *, alpha: float) -> float:
    """Return the power of a two-sided t test of one difference.

    Args:
        design: what the test rests on.
        effect: true difference in units of the standard deviation of the difference of two single values, at least 0.
        alpha: level of the single test, after any correction, in (0, 1).

    A mean over equally probable standard errors where the design has them.

    Source: Cohen (1988), Statistical Power Analysis. The noncentral t distribution is computed as a normal mean
    integrated over a chi-distributed standard deviation, because `scipy.stats.nct` returns NaN at few replicates.
    """
    from scipy import integrate  # a second, that a report need not wait

    freedom, shift = design.freedom, effect * math.sqrt(design.independent)
    edge = float(-special.stdtrit(freedom, alpha / 2))
    if design.errors:
        edges = edge * np.array(design.errors)
        return float(np.mean(special.ndtr(shift - edges) + special.ndtr(-shift - edges)))
    log_constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)

    def rejects(s: float) -> float:
        conditional = special.ndtr(shift - edge * s) + special.ndtr(-shift - edge * s)
        density = math.exp(log_constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
        return float(conditional) * density

    low, high = (math.sqrt(float(2 * special.gammaincinv(freedom / 2, u)) / freedom) for u in (1e-12, 1 - 1e-12))
    step = min(max(shift / edge, low), high)
    return float(sum(integrate.quad(rejects, *part, limit=200)[0] for part in ((low, step), (step, high))))


def detectable_difference(design: Design, *, comparisons: int, level: float, wanted: float) -> float:
    """Return the smallest true difference that a design detects with the given power, for two uncorrelated losses.

    The test is at α / m, the first step of Holm's correction, which is conservative. The result is in units of the
    standard deviation of the design's unit. With a correlation ρ of two losses it is √(1 − ρ) times as large.

    Args:
        design: what the test rests on.
        comparisons: size m of the declared family, at least 1.
        level: 1 − α, in (0, 1).
        wanted: probability of rejecting, in (α / m, 1); by convention 0.8.

    Raises:
        ValueError: if an argument is out of range, or the design has no test.
    """
    from scipy import optimize  # as in `power`

    if not design.freedom:
        raise ValueError("too few replicates for a test. Raise `final.seeds` or `search.searches`.")
    if comparisons < 1:
        raise ValueError("missing comparison: a family needs at least one. Add a loss besides the baseline.")
    alpha = (1 - level) / comparisons
    if not alpha < wanted < 1:
        raise ValueError(f"power {wanted} is out of range: must be between alpha / comparisons and 1.")

    def excess(effect: float) -> float:
        return power(design, effect, alpha=alpha) - wanted

    upper = 1.0
    while excess(upper) < 0:
        upper *= 2
    return float(optimize.brentq(excess, 0, upper, xtol=1e-9)) * math.sqrt(2)


def detectable(estimate: MeanEstimate, *, alpha: float, wanted: float) -> float:
    """Return the smallest true difference that a two-sided test with this standard error detects.

    It is the noncentrality at which t exceeds its critical value with the wanted probability, times the standard error.
    The approximation: the measured standard error and its degrees of freedom are taken for the true ones.

    Args:
        estimate: a difference; its mean plays no part.
        alpha: level of the single test, after any correction, in (0, 1).
        wanted: probability of rejecting, in (0.5, 1); by convention 0.8.

    Source: Cohen (1988), Statistical Power Analysis; scipy.special.nctdtrinc for the noncentral t distribution.
    """
    if estimate.error == 0:
        return 0.0
    edge = float(-special.stdtrit(estimate.freedom, alpha / 2))
    return float(special.nctdtrinc(estimate.freedom, 1 - wanted, edge)) * estimate.error


def reachable_equivalence(design: Design, *, comparisons: int, level: float) -> float:
    """Return the smallest difference of interest within which a design can call two losses equivalent.

    It is reached where the two have equal scores, by two one-sided tests (Schuirmann 1987) at α / m, the first step of
    Holm's correction. The result is in units of the standard deviation of the design's unit, for uncorrelated losses.
    The standard error is the true one, or the median of those that the design has.

    Args:
        design: what the test rests on, with degrees of freedom.
        comparisons: size m of the declared family, at least 1.
        level: 1 − α, in (0, 1).
    """
    edge = float(-special.stdtrit(design.freedom, (1 - level) / comparisons))
    error = float(np.median(design.errors)) if design.errors else 1.0
    return edge * error * math.sqrt(2 / design.independent)


def can_reject(design: Design, *, comparisons: int) -> bool:
    """Return whether any outcome can reject; an empty family never can."""
    return comparisons > 0 and design.freedom > 0


def can_decide(chosen: Estimator, *, replicates: int, losses: int) -> bool:
    """Return whether any outcome can be a verdict: that of the estimator, and of one that must agree with it.

    Args:
        chosen: the estimator of the protocol.
        replicates: per loss.
        losses: of the study, the baseline among them.
    """
    rules = (chosen, agreeing(chosen))
    designs = [rule.design(replicates=replicates, losses=losses) for rule in rules if rule is not None]
    return all(can_reject(design, comparisons=losses - 1) for design in designs)
