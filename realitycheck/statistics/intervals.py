"""Intervals for the mean of a few independent numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with a confidence interval.

    Args:
        mean: arithmetic mean, in the unit of the values.
        low: lower end.
        high: upper end.
        level: confidence level, in (0, 1).
        n: number of independent values.
        method: method of the interval, such as `student_t`.
        over: source of variation between the values, such as `seeds`; the interval covers no other.
    """

    mean: float
    low: float
    high: float
    level: float
    n: int
    method: str
    over: str

    @property
    def half_width(self) -> float:
        """Half the distance from low to high: the number after the ± sign."""
        return (self.high - self.low) / 2


def mean_of(values: Sequence[float]) -> float:
    """Return the mean, with an exactly rounded sum.

    Raises:
        ValueError: if there are no values.
    """
    if not values:
        raise ValueError("a mean needs at least one value.")
    return math.fsum(values) / len(values)


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean, from the standard deviation with n − 1.

    Raises:
        ValueError: if there are fewer than two values.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"a standard error needs at least two values, got {n}.")
    mean = mean_of(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)


def within_interval(groups: Sequence[Sequence[float]], *, level: float) -> Interval | None:
    """Return Student's t interval over seeds alone, where groups of runs have settings of their own.

    The half-width is that of as many runs of one setting: t · s / √n, with the variance s² within groups and n − G
    degrees of freedom for n values in G groups. With one group it is `t_interval`.

    Args:
        groups: the values under each setting; groups without values do not count.
        level: confidence level, in (0, 1).

    Returns:
        The interval around the mean of all values; None without a degree of freedom.

    Example:
        >>> from realitycheck.statistics.intervals import within_interval
        >>> within_interval([[1.0, 3.0], [11.0, 13.0]], level=0.95).half_width  # t of two: 4.3027 · √2 / 2
        3.0424...
    """
    known = [group for group in groups if group]
    values = [value for group in known for value in group]
    freedom = len(values) - len(known)
    if freedom < 1:
        return None
    squares = [(value - mean_of(group)) ** 2 for group in known for value in group]
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * math.sqrt(math.fsum(squares) / freedom / len(values))
    mean, n = mean_of(values), len(values)
    return Interval(mean, mean - half, mean + half, level=level, n=n, method="student_t", over="seeds")


def t_interval(values: Sequence[float], *, level: float, over: str) -> Interval:
    """Return Student's t interval for the mean of independent values, with n − 1 degrees of freedom.

    Args:
        values: at least two independent values; folds and queries are not independent.
        level: confidence level, in (0, 1).
        over: source of variation between the values, such as `seeds`.

    Source: Student (1908), "The probable error of a mean", Biometrika 6:1-25. At ten values its coverage
    beats the percentile and BCa bootstraps, also with heavy tails and skew.

    Example:
        >>> from realitycheck.statistics.intervals import t_interval
        >>> interval = t_interval([1.0, 2.0, 3.0], level=0.95, over="seeds")
        >>> f"{interval.mean} ± {interval.half_width:.4f}"  # t of two degrees of freedom, 4.3027, times 1 / √3
        '2.0 ± 2.4841'
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is out of range: must be between 0 and 1.")
    error = standard_error(values)
    mean, n = mean_of(values), len(values)
    half = float(special.stdtrit(n - 1, (1 + level) / 2)) * error
    return Interval(mean=mean, low=mean - half, high=mean + half, level=level, n=n, method="student_t", over=over)
