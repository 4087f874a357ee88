"""The verbs that people use: the only place that wires the towers."""

from __future__ import annotations

from realitycheck.verbs.data import fetch_data, published_blocks
from realitycheck.verbs.doctor import examine, machine_facts
from realitycheck.verbs.listings import Rows, listed, loss_cards, losses_markdown
from realitycheck.verbs.plan import StudyPlan, plan_study
from realitycheck.verbs.report import pack_study, report_study, study_standings
from realitycheck.verbs.run import StudyResult, Watch, accept_failed, carry_out, run_study
from realitycheck.verbs.study import Progress, check_study, load_study, prepare_data, study_warnings

__all__ = [
    "Progress",
    "Rows",
    "StudyPlan",
    "StudyResult",
    "Watch",
    "accept_failed",
    "carry_out",
    "check_study",
    "examine",
    "fetch_data",
    "listed",
    "load_study",
    "loss_cards",
    "losses_markdown",
    "machine_facts",
    "pack_study",
    "plan_study",
    "prepare_data",
    "published_blocks",
    "report_study",
    "run_study",
    "study_standings",
    "study_warnings",
]
