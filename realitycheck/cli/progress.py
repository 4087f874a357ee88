"""Progress on the screen: live on a terminal, plain lines elsewhere; and the table of standings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from realitycheck import verbs
from realitycheck.search.standing import Standing

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

BAR = 8
"""Characters of a progress bar: the whole table fits 80 columns."""

LINE_SECONDS = 20.0
"""Without a terminal, progress is a plain line with this period."""


@dataclass(frozen=True, slots=True)
class Views:
    """Callbacks of a `run`: for its runs, and for the preparation before them."""

    runs: verbs.Watch
    making: verbs.Progress


@contextmanager
def display(name: str, *, live: bool) -> Iterator[Views]:
    """Show progress live on a terminal; with `live` False, and elsewhere, as a plain line now and then."""
    if not live or not err.is_terminal:
        yield Views(_PlainLines(name).watch, _PlainSteps().watch)
        return
    with Live(console=err, refresh_per_second=4, transient=True) as screen:

        def runs(standings: Sequence[Standing], running: Sequence[verbs.Activity]) -> None:
            screen.update(Group(standings_table(standings), *(Text(f"  {activity}") for activity in running)))

        yield Views(runs, lambda title, done, count: screen.update(_bar(title, done, count)))


@contextmanager
def making() -> Iterator[verbs.Progress]:
    """As `display`, for preparation only."""
    with display("", live=True) as views:
        yield views.making


def _bar(title: str, done: int, count: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row(title, ProgressBar(total=max(1, count), completed=done, width=4 * BAR), f"{done:,} of {count:,}")
    return table


class _PlainSteps:
    """Progress of what is made ready, for a log file."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def watch(self, title: str, done: int, count: int) -> None:
        """Print a line if the last one is long ago."""
        now = time.monotonic()
        if now - self.last >= LINE_SECONDS:
            self.last = now
            err.print(f"{title}: {done:,} of {count:,} so far", markup=False, soft_wrap=True)


class _PlainLines:
    """Progress for a log file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = self.last = time.monotonic()
        self.first: int | None = None

    def watch(self, standings: Sequence[Standing], running: Sequence[verbs.Activity]) -> None:
        """Print a line if the last one is long ago."""
        now, done = time.monotonic(), sum(standing.done for standing in standings)
        self.first = done if self.first is None else self.first
        if now - self.last < LINE_SECONDS:
            return
        self.last, planned = now, sum(standing.planned for standing in standings)
        pace = (done - self.first) / (now - self.start)
        left = f", about {(planned - done) / pace / 60:.0f} min left" if pace else ""
        diverged = sum(standing.diverged for standing in standings)
        waits = f", {running[0]}" if running and running[0].elsewhere else ""
        err.print(f"{self.name}: {done} of {planned} runs, {diverged} diverged{left}{waits}", soft_wrap=True)


def standings_table(standings: Sequence[Standing]) -> Table:
    """How far every loss is, a line each."""
    # Counts are never cut: in a narrow terminal the label folds onto a second line.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("loss", overflow="fold")
    table.add_column("", width=BAR)
    for column in ("search", "final", "scores", "diverged", "best val"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column) + 1)
    for standing in standings:
        table.add_row(
            standing.name,
            ProgressBar(total=max(1, standing.planned), completed=standing.done, width=BAR),
            *(f"{done}/{planned}" for done, planned in (standing.search_runs, standing.final_runs, standing.scores)),
            str(standing.diverged),
            "" if standing.best is None else f"{100 * standing.best:.2f}",
        )
    table.caption = "runs of the search and of the final retraining, test scores; best validation MAP@R in percent"
    return table
