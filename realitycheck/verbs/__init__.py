"""The verbs that people use: the only room that connects training, search, executors and report."""

from __future__ import annotations

from realitycheck.verbs.cache_parts import PARTS as CACHE_PARTS
from realitycheck.verbs.cache_parts import cache_sizes, clean_study
from realitycheck.verbs.compare import compare_studies, verify_comparison
from realitycheck.verbs.doctor import arithmetic_fact, examine, machine_facts
from realitycheck.verbs.draw_space import picture, picture_embeddings
from realitycheck.verbs.export import export_study
from realitycheck.verbs.library import (
    fetch_data,
    judged_rows,
    listed,
    loss_cards,
    losses_markdown,
    published_blocks,
    report_published,
)
from realitycheck.verbs.menu_rows import Rows
from realitycheck.verbs.new_study import NewStudy, init_study
from realitycheck.verbs.notebook_progress import NotebookProgress
from realitycheck.verbs.options import duration
from realitycheck.verbs.pilot import pilot_deviation
from realitycheck.verbs.plan import StudyPlan, plan_study
from realitycheck.verbs.plugin_changes import changed_sources
from realitycheck.verbs.register import Registered, register_study
from realitycheck.verbs.report import (
    pack_study,
    report_study,
    report_with_changes,
    study_standings,
    study_status,
)
from realitycheck.verbs.report_images import report_images
from realitycheck.verbs.run import carry_out, run_study
from realitycheck.verbs.study import (
    Progress,
    Say,
    check_study,
    load_study,
    named_code,
    open_study,
    prepare_data,
    shipped_files,
    study_warnings,
)
from realitycheck.verbs.study_result import Activity, StudyResult, UnfinishedStudy, Watch
from realitycheck.verbs.verify import verify_study
from realitycheck.verbs.work import seconds_until

__all__ = [
    "CACHE_PARTS",
    "Activity",
    "NewStudy",
    "NotebookProgress",
    "Progress",
    "Registered",
    "Rows",
    "Say",
    "StudyPlan",
    "StudyResult",
    "UnfinishedStudy",
    "Watch",
    "arithmetic_fact",
    "cache_sizes",
    "carry_out",
    "changed_sources",
    "check_study",
    "clean_study",
    "compare_studies",
    "duration",
    "examine",
    "export_study",
    "fetch_data",
    "init_study",
    "judged_rows",
    "listed",
    "load_study",
    "loss_cards",
    "losses_markdown",
    "machine_facts",
    "named_code",
    "open_study",
    "pack_study",
    "picture",
    "picture_embeddings",
    "pilot_deviation",
    "plan_study",
    "prepare_data",
    "published_blocks",
    "register_study",
    "report_images",
    "report_published",
    "report_study",
    "report_with_changes",
    "run_study",
    "seconds_until",
    "shipped_files",
    "study_standings",
    "study_status",
    "study_warnings",
    "verify_comparison",
    "verify_study",
]
