"""A study as a command loads it: with a line on what the package supplies and on code that it runs, and warnings."""

from __future__ import annotations

from pathlib import Path

import realitycheck
from realitycheck import verbs
from realitycheck.cli.progress import err
from realitycheck.errors import Problem
from realitycheck.protocol.read import ReadStudy


def load(study: Path) -> ReadStudy:
    """Load a study, after its announcement."""
    announce(study)
    return verbs.load_study(study)


def announce(study: Path) -> None:
    """Name the files that the package supplies, and the code that a study brings along, before it runs."""
    if shipped := verbs.shipped_files(study):
        says = f"{', '.join(shipped)}: as shipped with realitycheck {realitycheck.__version__}"
        err.print(says, markup=False, soft_wrap=True)
    if named := verbs.named_code(study):
        err.print(f"{study} names code that runs here: {', '.join(named)}", markup=False, soft_wrap=True)


def warn(problem: Problem) -> None:
    """Print what stops nothing."""
    err.print(f"warning  {problem}", style="yellow", markup=False, soft_wrap=True)
