"""The verbs that people use: the only place that wires the towers."""

from __future__ import annotations

from realitycheck.verbs.catalog import loss_cards, losses_markdown
from realitycheck.verbs.evidence import pack_study, report_study, study_standings
from realitycheck.verbs.plan import StudyPlan, plan_study
from realitycheck.verbs.run import StudyResult, Watch, accept_failed, carry_out, run_study
from realitycheck.verbs.study import load_study, prepare_data, study_warnings

__all__ = [
    "StudyPlan",
    "StudyResult",
    "Watch",
    "accept_failed",
    "carry_out",
    "load_study",
    "loss_cards",
    "losses_markdown",
    "pack_study",
    "plan_study",
    "prepare_data",
    "report_study",
    "run_study",
    "study_standings",
    "study_warnings",
]
