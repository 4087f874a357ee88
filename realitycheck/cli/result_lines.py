"""What `run` prints of failures: while it works, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import typer
from rich.markup import escape

from realitycheck.cli.progress import Mode, err, out, standings_table
from realitycheck.errors import Problem
from realitycheck.executors.base import Finished
from realitycheck.protocol.read import ReadStudy
from realitycheck.verbs import StudyResult, UnfinishedStudy


def quiet(finished: Finished) -> None:
    """Leave failures to the end of the run."""


def print_failure(finished: Finished) -> None:
    """Print what went wrong in a job with the traceback, where it happened just now in this process."""
    err.print(f"{finished.job.title}: {finished.failure}", style="yellow", markup=False, soft_wrap=True)
    err.print(finished.traceback or "", markup=False, highlight=False, soft_wrap=True)


def ended(work: Callable[[], StudyResult]) -> StudyResult:
    """How a `run` ended, whether or not something is left over."""
    try:
        return work()
    except UnfinishedStudy as unfinished:
        return unfinished.result


def print_end(result: StudyResult, source: str, *, searching: bool, mode: Mode) -> None:
    """Print how far every loss is, what is left over, and what can be done next; for a program only what is left."""
    shown = mode in ("auto", "plain")
    if shown:
        out.print(standings_table(result.standings))
    require_finished(result)
    if shown:
        out.print(next_step(source, searching=searching), markup=False, soft_wrap=True)


def require_finished(result: StudyResult) -> None:
    """Print what is left over, and exit with 1 where there is something."""
    print_result(result)
    if result.unfinished:
        err.print("The study could not finish. `run` again tries these jobs anew. Tracebacks are in its `attempts/`.")
        raise typer.Exit(1)


def next_step(source: str, *, searching: bool) -> str:
    """What a person can do after a `run` that left nothing over."""
    if searching:
        return (
            f"The searches are done, and the test half is closed. Next: realitycheck report {source}, "
            f"realitycheck export {source} --best best, or realitycheck run {source} for the test scores."
        )
    return f"Done. Next: realitycheck report {source}"


def print_result(result: StudyResult) -> None:
    """Print what was not finished, one line for each loss that was set aside."""
    for traceback in result.raised:
        err.print("A loss raised an exception. Its run is recorded as diverged.", style="yellow")
        err.print(traceback, markup=False, highlight=False, soft_wrap=True)
    for aside in result.set_aside:
        if not aside.jobs:  # an exception of their own
            err.print(aside.raised.traceback, markup=False, highlight=False, soft_wrap=True)
        err.print(f"set aside: {aside}", style="red", markup=False, soft_wrap=True)
    for standing in result.standings:
        if standing.all_diverged:
            says = f"{standing.name}: every trial diverged, so no setting can be retrained."
            err.print(says, style="yellow", markup=False, soft_wrap=True)
    for reason in result.left_over:
        err.print(f"given up: {reason}", style="red", markup=False, soft_wrap=True)
    for alarm in result.alarms:
        err.print(f"alarm: {alarm}", style="red", markup=False, soft_wrap=True)


def print_warnings(read: ReadStudy, warnings: Sequence[Problem]) -> None:
    """Print what may be wrong with a study, one line each."""
    for warning in warnings:
        out.print(f"[yellow]warning[/]  {escape(f'{read.source} {warning}')}", soft_wrap=True)
