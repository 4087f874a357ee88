"""The options of a `run` that no file tells: refused before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from realitycheck.errors import InputError, Problem
from realitycheck.records.ledger import Ledger


def require_options(*, device: str, reuse: Sequence[Path]) -> None:
    """Hold the options of a `run` to what they may be.

    Raises:
        InputError: a device is none, or a folder to reuse holds no record.
    """
    problems = [*_device(device), *(problem for folder in reuse for problem in _reuse(folder))]
    if problems:
        raise InputError("the command line", problems)


def _device(device: str) -> Iterator[Problem]:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        says = f"must be auto, cpu, cuda or cuda:<number>; got '{device}'. Choose one of them."
        yield Problem(0, "--device", says)


def _reuse(folder: Path) -> Iterator[Problem]:
    if not Ledger(folder).records:
        says = f"must be a folder of a study's evidence, as studies/sketches; got {folder}, which holds no record."
        yield Problem(0, "--reuse", f"{says} Correct the path.")
