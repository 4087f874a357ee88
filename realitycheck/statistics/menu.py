"""The menu of estimators, readable without scipy."""

from __future__ import annotations

MENU: dict[str, str] = {
    "student_t": "realitycheck.statistics.student_t:StudentT",
}
"""The name in `interval.method` → `module:Class` of the `Estimator`."""
