"""The options of a `run`, which no file holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from realitycheck.errors import InputError, Problem
from realitycheck.executors.menu import MENU
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.validation import nearest
from realitycheck.records.ledger import Ledger

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds of the units of a duration."""

LONGEST = 1e9
"""Seconds that longer durations count as, some 30 years; timers take no more than 292."""


def require_options(
    read: ReadStudy, *, executor: str, address: str | None, device: str, graphs: bool, reuse: Sequence[Path]
) -> None:
    """Check the options of a `run` that no file holds.

    Raises:
        InputError: an executor is unknown or does not take an option, or a folder to reuse holds no record; it lists
            every problem.
    """
    problems = [*_executor_problems(executor, address=address, device=device)]
    recipe = read.study.protocol.recipe
    if graphs and recipe.computes.device != "cuda":
        says = f"`--graphs` is not allowed here: arithmetic {recipe.arithmetic} computes on a CPU. Remove it."
        problems.append(Problem(0, "--graphs", says, "graphs-not-of-arithmetic"))
    problems += [problem for folder in reuse for problem in _reuse_problems(folder)]
    if problems:
        raise InputError("the command line", problems)


def duration(text: str, *, option: str) -> float:
    """The seconds of a duration such as `30s`, `5m` or `1.5h`.

    Raises:
        InputError: it is none, or it is 0.
    """
    seconds = seconds_of(text)
    if seconds is None:
        says = f"'{text}' is not allowed here: it must be a duration above 0, such as 30s, 5m or 1.5h."
        raise InputError.one("the command line", "duration-invalid", says, where=option)
    return seconds


def seconds_of(text: str) -> float | None:
    """The seconds of a duration, or None where the text is no duration above 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh])", text.strip())
    return (min(float(match[1]) * SECONDS[match[2]], LONGEST) or None) if match else None


def _executor_problems(name: str, *, address: str | None, device: str) -> Iterator[Problem]:
    if name not in MENU:
        yield Problem(0, "--executor", f"unknown executor '{name}'. {nearest(name, list(MENU))}", "executor-unknown")
        return
    if address is not None and not MENU[name].elsewhere:
        says = f"`--address` is not allowed here: executor {name} runs on this machine. Remove it, or choose ray."
        yield Problem(0, "--address", says, "address-not-allowed")
    if ":" in device and MENU[name].elsewhere:
        says = f"`{device}` is not allowed here: the cluster chooses the GPU of each job. Choose cuda or auto."
        yield Problem(0, "--device", says, "device-numbered")


def _reuse_problems(folder: Path) -> Iterator[Problem]:
    try:
        known = {} if folder.is_file() else Ledger(folder).records  # such as the study's file beside the folder
    except InputError as error:  # of another results version
        yield from (replace(problem, where=f"--reuse {error.source}") for problem in error.problems)
        return
    if not known:
        says = f"missing ledger: {folder} has no records. Give the folder of a study's evidence, such as studies/demo."
        yield Problem(0, "--reuse", says, "ledger-missing")
