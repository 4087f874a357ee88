"""The menu of estimators, readable without scipy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EstimatorEntry:
    """What is known of one estimator.

    Args:
        address: `module:Class` of the `Estimator`.
        least_searches: the smallest number of searches per loss with which it can be used.
        most_searches: the largest; None where there is none.
        near_best: whether it needs the scores of runners-up, or of the chosen trial, which is scored with them.
    """

    address: str
    least_searches: int
    most_searches: int | None
    near_best: bool


_HERE = "realitycheck.statistics"

MENU: dict[str, EstimatorEntry] = {
    "student_t": EstimatorEntry(f"{_HERE}.student_t:StudentT", 1, None, near_best=False),
    "pooled_winner": EstimatorEntry(f"{_HERE}.pooled_winner:PooledWinner", 1, 1, near_best=True),
    "searches_pooled": EstimatorEntry(f"{_HERE}.searches_pooled:SearchesPooled", 2, None, near_best=False),
    "searches_calibrated": EstimatorEntry(f"{_HERE}.searches_calibrated:SearchesCalibrated", 2, None, near_best=True),
    "runners_up": EstimatorEntry(f"{_HERE}.runners_up:RunnersUp", 1, 1, near_best=True),
    "class_bootstrap": EstimatorEntry(f"{_HERE}.class_bootstrap:ClassBootstrap", 1, None, near_best=False),
}
"""The name in `interval.method` → entry."""
