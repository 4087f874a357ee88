"""The menu of estimators, readable without scipy."""

from __future__ import annotations

_HERE = "realitycheck.statistics"

MENU: dict[str, str] = {
    "student_t": f"{_HERE}.student_t:StudentT",
    "searches_pooled": f"{_HERE}.searches_pooled:SearchesPooled",
}
"""The name in `interval.method` → `module:Class` of the `Estimator`.

Estimators from near-best settings or from classes are not on it: a report does not give them these scores.
"""
