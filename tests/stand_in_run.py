"""Carry a study out in this process, with stand-ins for training and scoring."""

from __future__ import annotations

from pathlib import Path

from realitycheck import verbs
from realitycheck.executors.base import Executor
from realitycheck.executors.inline import InlineExecutor
from realitycheck.protocol.read import read_study
from realitycheck.verbs.study import Say, unsaid
from realitycheck.verbs.study_result import StudyResult

STAND_INS = {
    "proposal": "standins:propose",
    "selection": "realitycheck.search.posterior_mean:select",
    "run": "standins:run",
    "score": "standins:score",
    "neighbors": "standins:neighbors",
}

SEARCHED = {**STAND_INS, "proposal": "realitycheck.search.propose:propose"}
"""With the proposals of the study's own sampler."""


def carry_out(
    study: Path,
    *,
    jobs: dict[str, str] = STAND_INS,
    executor: Executor | None = None,
    reuse: tuple[Path, ...] = (),
    say: Say = unsaid,
) -> StudyResult:
    """Do what is left of a study; `jobs` has the verb of each kind of job."""
    return verbs.carry_out(
        read_study(study),
        executor=executor or InlineExecutor(device=None),
        device="cpu",
        reuse=reuse,
        watch=lambda standings, running: None,
        say=say,
        verbs=jobs,
    )


def whole(study: Path, *, jobs: dict[str, str] = STAND_INS) -> Path:
    """The study's file, after a run in which nothing was left and nothing differed."""
    result = carry_out(study, jobs=jobs)
    assert not result.left and not result.alarms
    return study
