"""`verify`: a line for each thing that does not hold, and what was checked and what was not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.progress import err, out
from realitycheck.errors import InputError
from realitycheck.verify.checks import Checks

Ledgers = Annotated[
    list[str],
    typer.Argument(help="Study files, folders of evidence, or ledger.jsonl.gz; as in report.", show_default=False),
]
Compared = Annotated[bool, typer.Option("--compare", help="Verify the page that report --compare made of them.")]
Report = Annotated[
    Path | None, typer.Option(help="The folder of the report, in place of reports/<study>.", show_default=False)
]
Ask = Annotated[bool, typer.Option(help="Ask the sampler for every proposal again.")]


def verify(
    studies: Ledgers,
    report: Report = None,
    compare: Compared = False,  # noqa: FBT002 - typer makes an option of it
    proposals: Ask = True,  # noqa: FBT002
) -> None:
    """Derive every number of a ledger and of its report a second time; exit 1 where one does not hold."""
    if report is not None and (compare or len(studies) > 1):
        says = "not allowed here: it is the folder of one report. Name one study, without `--compare`."
        raise InputError.one("the command line", "report-of-several", says, where="--report")
    if compare:
        results = [verbs.verify_comparison(studies)]
    else:
        results = [verbs.verify_study(Path(study), report=report, ask=proposals) for study in studies]
    for checks in results:
        _print_checks(checks)
    if any(checks.problems for checks in results):
        raise typer.Exit(1)


def _print_checks(checks: Checks) -> None:
    for problem in checks.problems:
        err.print(str(problem), style="red", markup=False, soft_wrap=True)
    counts = ", ".join(f"{what} {number:,}" for what, number in checks.counted.items())
    out.print(f"checked: {counts}.", markup=False, soft_wrap=True)
    for sentence in checks.unchecked:
        out.print(f"not checked: {sentence}", markup=False, soft_wrap=True)
    if checks.problems:
        count = len(checks.problems)
        err.print(f"{count} thing{'s' * (count > 1)} did not hold.", markup=False)
    else:
        out.print("Everything that was checked holds.")
