"""The menu of estimators, readable without scipy."""

from __future__ import annotations

_HERE = "realitycheck.statistics"

MENU: dict[str, str] = {
    "student_t": f"{_HERE}.student_t:StudentT",
    "searches_pooled": f"{_HERE}.searches_pooled:SearchesPooled",
    "searches_calibrated": f"{_HERE}.searches_calibrated:SearchesCalibrated",
    "runners_up": f"{_HERE}.runners_up:RunnersUp",
    "class_bootstrap": f"{_HERE}.class_bootstrap:ClassBootstrap",
}
"""The name in `interval.method` → `module:Class` of the `Estimator`."""
