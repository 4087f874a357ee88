"""The options of a `run`, which no file holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from realitycheck.errors import InputError, Problem
from realitycheck.executors.menu import MENU
from realitycheck.protocol.validation import nearest
from realitycheck.records.ledger import Ledger


def require_options(*, executor: str, device: str, reuse: Sequence[Path]) -> None:
    """Check the options of a `run` that no file holds.

    Raises:
        InputError: an executor or a device is unknown, or a folder to reuse holds no record; it lists every problem.
    """
    problems = [*_executor_problems(executor), *_device_problems(device)]
    problems += [problem for folder in reuse for problem in _reuse_problems(folder)]
    if problems:
        raise InputError("the command line", problems)


def _executor_problems(name: str) -> Iterator[Problem]:
    if name not in MENU:
        yield Problem(0, "--executor", f"unknown executor '{name}'. {nearest(name, list(MENU))}", "executor-unknown")


def _device_problems(device: str) -> Iterator[Problem]:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        says = f"unknown device '{device}'. Choose auto, cpu, cuda or cuda:<number>."
        yield Problem(0, "--device", says, "device-unknown")


def _reuse_problems(folder: Path) -> Iterator[Problem]:
    try:
        known = Ledger(folder).records
    except InputError as error:  # of another results version
        yield from (replace(problem, where=f"--reuse {error.source}") for problem in error.problems)
        return
    if not known:
        says = f"missing ledger: {folder} has no records. Give the folder of a study's evidence, such as studies/demo."
        yield Problem(0, "--reuse", says, "ledger-missing")
