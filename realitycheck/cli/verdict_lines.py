"""`verify`: a line for each thing that does not hold, and what was checked and what was not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.progress import err, out

Ledger = Annotated[
    Path, typer.Argument(help="A study file, a folder of evidence, or a ledger.jsonl.gz.", show_default=False)
]
Report = Annotated[
    Path | None, typer.Option(help="The folder of the report, in place of reports/<study>.", show_default=False)
]
Ask = Annotated[bool, typer.Option(help="Ask the sampler for every proposal again.")]


def verify(study: Ledger, report: Report = None, proposals: Ask = True) -> None:  # noqa: FBT002 - an option of typer
    """Derive every number of a ledger and of its report a second time; exit 1 where one does not hold."""
    checks = verbs.verify_study(study, report=report, ask=proposals)
    for problem in checks.problems:
        err.print(str(problem), style="red", markup=False, soft_wrap=True)
    counts = ", ".join(f"{what} {number:,}" for what, number in checks.counted.items())
    out.print(f"checked: {counts}.", markup=False, soft_wrap=True)
    for sentence in checks.unchecked:
        out.print(f"not checked: {sentence}", markup=False, soft_wrap=True)
    if checks.problems:
        count = len(checks.problems)
        err.print(f"{count} thing{'s' * (count > 1)} did not hold.", markup=False)
        raise typer.Exit(1)
    out.print("Everything that was checked holds.")
