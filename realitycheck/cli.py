"""The command line: a thin layer over the verbs, and the only place that prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from realitycheck import verbs
from realitycheck.errors import InputError, RealityCheckError
from realitycheck.search.progress import Standing
from realitycheck.verbs import StudyPlan, StudyResult

app = typer.Typer(
    help="When every loss gets the same data, model, tuning budget and seeds, which losses really differ?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

StudyFile = Annotated[Path, typer.Argument(help="A study file, such as studies/demo.yaml.", show_default=False)]
Workers = Annotated[int, typer.Option(help="Child processes at a time.", min=1)]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")]
Deadline = Annotated[float, typer.Option(help="Minutes after which a job counts as hanging.", min=0.1)]

Reuse = Annotated[
    list[Path] | None, typer.Option(help="Folder of another study's evidence; its records of equal id are copied.")
]
AcceptFailed = Annotated[
    list[str] | None, typer.Option(help="Id of a run that always fails; it is written as a spent, diverged one.")
]

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""

BAR = 8
"""Characters of a progress bar: the whole table fits 80 columns."""

LINE_SECONDS = 20.0
"""Without a terminal, progress is a plain line every so many seconds."""


@app.command()
def check(study: StudyFile) -> None:
    """Name every problem of a study's files, each with its line."""
    read = verbs.load_study(study)
    verbs.prepare_data(read)
    for warning in verbs.study_warnings(read):
        out.print(f"[yellow]warning[/]  {read.source} {warning}", soft_wrap=True)
    losses, name = len(read.study.losses), read.study.protocol.protocol
    out.print(f"{read.source} is right: {losses} losses under protocol {name}.")


@app.command()
def plan(study: StudyFile, workers: Workers = 2) -> None:
    """Say what a study costs and what it can find, before anything runs."""
    read = verbs.load_study(study)
    with err.status("measuring this machine for some seconds"):
        told = verbs.plan_study(read)
    out.print(_plan_table(told, workers))
    for line in _plan_lines(told):
        out.print(line, soft_wrap=True)


@app.command()
def run(
    study: StudyFile,
    workers: Workers = 2,
    device: Device = "auto",
    deadline: Deadline = 60.0,
    reuse: Reuse = None,
    accept_failed: AcceptFailed = None,
) -> None:
    """Do what is left of a study. Run again after any interruption: it goes on where it was."""
    read = verbs.load_study(study)
    for run_id in accept_failed or ():
        out.print(f"accepted as spent: {verbs.accept_failed(read, run_id)}", markup=False, soft_wrap=True)
    try:
        with _display(read.study.study) as watch:
            result = verbs.run_study(
                read, workers=workers, device=device, deadline=deadline * 60, reuse=reuse or (), watch=watch
            )
    except KeyboardInterrupt:
        err.print("Stopped. Every finished run is kept; `run` again goes on from here.")
        raise typer.Exit(INTERRUPTED) from None
    out.print(_standings_table(result.standings))
    _tell_result(result)


@app.command()
def status(study: StudyFile) -> None:
    """Say what is done, diverged and left, by the ledger alone."""
    out.print(_standings_table(verbs.study_standings(study)))


@app.command()
def report(study: StudyFile) -> None:
    """Rebuild a study's page, tables and figures from its ledger."""
    written = {path.name: path for path in verbs.report_study(study)}
    page = written.pop("index.html")
    out.print(written["tables.md"].read_text(encoding="utf-8"), markup=False, soft_wrap=True)
    out.print(f"page    {page}", soft_wrap=True)
    out.print(
        f"beside  {', '.join(str(each.relative_to(page.parent)) for each in written.values())}",
        soft_wrap=True,
    )


@app.command()
def pack(study: StudyFile) -> None:
    """Pack a study's ledger, finished or not, into the one file that is committed."""
    path = verbs.pack_study(study)
    out.print(f"{path}  {path.stat().st_size / 1e6:.2f} MB", soft_wrap=True)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when a study could not finish, 2 on bad input, 130 on Ctrl-C."""
    try:
        # Without typer's standalone mode a `typer.Exit` comes back as its code, and not as an exception.
        sys.exit(app(standalone_mode=False) or 0)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except typer.TyperException as error:
        err.print(f"{error.format_message()} `realitycheck --help` lists the commands.", markup=False, soft_wrap=True)
        sys.exit(2)
    except InputError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except RealityCheckError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def _plan_table(told: StudyPlan, workers: int) -> Table:
    table = Table(title="trainings", title_justify="left")
    for name in ("", "search", "fold runs", "complete runs", "together"):
        table.add_column(name, justify="right" if name else "left")
    each = told.trainings
    cells = [each.search, each.folds, each.complete, each.total]
    table.add_row("one loss, one dataset", *(f"{cell:,}" for cell in cells))
    times = told.losses * told.datasets
    table.add_row(f"{told.losses} losses, {told.datasets} datasets", *(f"{cell * times:,}" for cell in cells))
    table.caption = f"about {told.cost.worker_hours / workers:.2g} hours on {workers} workers"
    return table


def _plan_lines(told: StudyPlan) -> Iterator[str]:
    for dataset, losses in told.measured.items():
        for label, seen in losses.items():
            yield (
                f"measured, {dataset}/{label}: {1000 * seen.step:.1f} ms a step ({1000 * seen.complete_step:.1f} with "
                f"K·D dims), {seen.evaluation:.2f} s a validation, {seen.fold_score:.1f} s a score of K models"
            )
    yield (
        f"time: about {told.cost.worker_hours:.2g} worker-hours if every run goes to its cap, "
        "and a worker has a core of its own"
    )
    yield f"disk: about {told.cost.disk_bytes / 1e6:.0f} MB of pixels, and of weights until they are scored"
    differences = " or ".join(
        f"{size:.2f} (correlation {correlation:g})" for correlation, size in told.detectable.items()
    )
    yield (
        f"smallest difference to the baseline found with 80 % power, in standard deviations of a loss's score "
        f"over seeds: {differences}"
    )


@contextmanager
def _display(name: str) -> Iterator[verbs.Watch]:
    """Live on a terminal; elsewhere a plain line now and then."""
    if not err.is_terminal:
        yield _PlainLines(name).watch
        return
    with Live(console=err, refresh_per_second=4, transient=True) as live:

        def watch(standings: Sequence[Standing], running: Sequence[str]) -> None:
            live.update(Group(_standings_table(standings), *(Text(f"  {title}") for title in running)))

        yield watch


class _PlainLines:
    """Progress for a log file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = self.last = time.monotonic()
        self.first: int | None = None

    def watch(self, standings: Sequence[Standing], running: Sequence[str]) -> None:
        """Print a line if the last one is long ago."""
        now, done = time.monotonic(), sum(each.done for each in standings)
        self.first = done if self.first is None else self.first
        if now - self.last < LINE_SECONDS:
            return
        self.last, planned = now, sum(each.planned for each in standings)
        pace = (done - self.first) / (now - self.start)
        left = f", about {(planned - done) / pace / 60:.0f} min left" if pace else ""
        diverged = sum(each.diverged for each in standings)
        err.print(f"{self.name}: {done} of {planned} runs, {diverged} diverged{left}", soft_wrap=True)


def _standings_table(standings: Sequence[Standing]) -> Table:
    # Counts are never cut: in a narrow terminal the label folds onto a second line.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("loss", overflow="fold")
    table.add_column("", width=BAR)
    for column in ("search", "final", "scores", "diverged", "best val"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column) + 1)
    for each in standings:
        table.add_row(
            f"{each.dataset}/{each.label}",
            ProgressBar(total=max(1, each.planned), completed=each.done, width=BAR),
            *(f"{done}/{planned}" for done, planned in (each.search_runs, each.final_runs, each.scores)),
            str(each.diverged),
            "" if each.best is None else f"{100 * each.best:.2f}",
        )
    table.caption = "runs of the search and of the final retraining, test scores; best validation MAP@R in percent"
    return table


def _tell_result(result: StudyResult) -> None:
    for reason in result.left:
        err.print(f"left after three failures: {reason}", style="red", markup=False, soft_wrap=True)
    for alarm in result.alarms:
        err.print(f"alarm: {alarm}", style="red", markup=False, soft_wrap=True)
    if result.left or result.alarms:
        err.print("The study could not finish. `run` again tries these jobs afresh.")
        raise typer.Exit(1)
