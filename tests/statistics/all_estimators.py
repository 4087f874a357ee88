"""Every estimator, those that no protocol can ask for among them."""

from __future__ import annotations

from realitycheck.statistics.base import Estimator
from realitycheck.statistics.class_bootstrap import ClassBootstrap
from realitycheck.statistics.runners_up import RunnersUp
from realitycheck.statistics.searches_calibrated import SearchesCalibrated
from realitycheck.statistics.searches_pooled import SearchesPooled
from realitycheck.statistics.student_t import StudentT

ESTIMATORS: dict[str, type[Estimator]] = {
    member.method: member for member in (StudentT, SearchesPooled, SearchesCalibrated, RunnersUp, ClassBootstrap)
}
