"""Carry a study out in this process, with real trainings and an executor of the test."""

from __future__ import annotations

from pathlib import Path

import torch

from realitycheck import verbs
from realitycheck.executors.base import Executor
from realitycheck.verbs.executing import VERBS
from realitycheck.verbs.study_result import StudyResult


def carry_out(study: Path, executor: Executor) -> StudyResult:
    """Run what is left of a study; the number of threads is as before."""
    threads = torch.get_num_threads()
    try:
        return verbs.carry_out(
            verbs.load_study(study),
            executor=executor,
            device="cpu",
            reuse=(),
            watch=lambda standings, running: None,
            verbs=VERBS,
        )
    finally:
        torch.set_num_threads(threads)
