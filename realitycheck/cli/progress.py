"""Progress on the screen: live on a terminal, plain lines elsewhere, none, or JSON lines; the table of standings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from realitycheck import verbs
from realitycheck.search.standing import Standing
from realitycheck.verbs.advances import time_text

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

BAR = 8
"""Characters of a progress bar: the whole table fits 80 columns."""

LINE_SECONDS = 20.0
"""Without a terminal, progress is a plain line with this period."""

JSON_SECONDS = 1.0
"""A JSON line follows another one after this time, if a run has ended, and after `LINE_SECONDS` in any case."""

Mode = Literal["auto", "plain", "quiet", "json"]
"""How progress is shown; `auto` is live on a terminal and plain elsewhere."""

HEADS = ("search", "final", "scores", "diverged", "best val")
"""The columns of numbers."""


@dataclass(frozen=True, slots=True)
class Views:
    """Callbacks of a `run`: for its runs, and for the preparation before them."""

    runs: verbs.Watch
    making: verbs.Progress


@contextmanager
def display(name: str, *, live: bool, mode: Mode = "auto", searching: bool = False) -> Iterator[Views]:
    """Show progress live on a terminal; with `live` False, and elsewhere, as a plain line now and then.

    Args:
        name: of the study.
        live: whether the terminal may be drawn on.
        mode: how progress is shown.
        searching: whether the work ends with the searches, so that only their runs count.
    """
    pace = Pace(searching)
    if mode == "quiet":
        yield Views(lambda standings, running: None, lambda title, done, count: None)
    elif mode == "json":
        lines = _JsonLines(name, pace)
        yield Views(lines.watch, lines.steps)
    elif mode == "plain" or not live or not err.is_terminal:
        yield Views(_PlainLines(name, pace).watch, _PlainSteps().watch)
    else:
        with Live(console=err, refresh_per_second=4, transient=True) as screen:

            def runs(standings: Sequence[Standing], running: Sequence[verbs.Activity]) -> None:
                lines = [pace.line(standings), *(f"  {activity}" for activity in running)]
                screen.update(Group(standings_table(standings, width=err.width), *map(Text, lines)))

            yield Views(runs, lambda title, done, count: screen.update(_bar(title, done, count)))


@contextmanager
def making() -> Iterator[verbs.Progress]:
    """As `display`, for preparation only."""
    with display("", live=True) as views:
        yield views.making


@dataclass(slots=True)
class Pace:
    """How many runs are done, and how long the rest takes at the pace since the start.

    Args:
        searching: whether only the runs of searches count.
    """

    searching: bool
    start: float = field(default_factory=time.monotonic)
    first: int | None = None

    def counts(self, standings: Sequence[Standing]) -> tuple[int, int]:
        """Runs done, and planned."""
        pairs = [one.search_runs if self.searching else (one.done, one.planned) for one in standings]
        return sum(done for done, _ in pairs), sum(planned for _, planned in pairs)

    def seconds_left(self, standings: Sequence[Standing]) -> float | None:
        """Seconds until all runs are done; None before one has ended."""
        done, planned = self.counts(standings)
        self.first = done if self.first is None else self.first
        passed = time.monotonic() - self.start
        return (planned - done) * passed / (done - self.first) if done > self.first else None

    def line(self, standings: Sequence[Standing]) -> str:
        """`12 of 40 runs, 1 diverged, about 5 min left`; with the number of scores from the first on."""
        left, (done, planned) = self.seconds_left(standings), self.counts(standings)
        rest = "" if left is None else f", about {time_text(left)} left"
        scored, scores = (sum(numbers) for numbers in zip((0, 0), *(one.scores for one in standings), strict=True))
        scoring = f", {scored:,} of {scores:,} scores" if scored and not self.searching else ""
        return f"{done:,} of {planned:,} runs{scoring}, {sum(one.diverged for one in standings):,} diverged{rest}"


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

    def __init__(self, name: str, pace: Pace) -> None:
        self.name, self.pace = name, pace
        self.last = time.monotonic()

    def watch(self, standings: Sequence[Standing], running: Sequence[verbs.Activity]) -> None:
        """Print a line if the last one is long ago."""
        line, now = self.pace.line(standings), time.monotonic()
        if now - self.last >= LINE_SECONDS:
            self.last = now
            others = f" and {len(running) - 1} more" if len(running) > 1 else ""
            first = f"; {running[0]}{others}" if running else ""  # before the first run has ended, all that is known
            err.print(f"{self.name}: {line}{first}", markup=False, soft_wrap=True)


class _JsonLines:
    """Progress for another program: one JSON object a line, on standard error."""

    def __init__(self, name: str, pace: Pace) -> None:
        self.name, self.pace = name, pace
        self.last, self.done = -LINE_SECONDS, -1

    def watch(self, standings: Sequence[Standing], running: Sequence[verbs.Activity]) -> None:
        """Print a line if a run has ended, or the last line is long ago."""
        left, (done, planned) = self.pace.seconds_left(standings), self.pace.counts(standings)
        since = time.monotonic() - self.last
        if since < (JSON_SECONDS if done != self.done else LINE_SECONDS):
            return
        self.last, self.done = time.monotonic(), done
        searches = [{"name": one.name, "done": one.done, "planned": one.planned, "best": one.best} for one in standings]
        facts = {"done": done, "planned": planned, "seconds_left": left, "searches": searches}
        self._print("runs", facts | {"running": [str(activity) for activity in running]})

    def steps(self, title: str, done: int, count: int) -> None:
        """Print a line for what is made ready, if the last line is long ago, and at its end."""
        if done >= count or time.monotonic() - self.last >= LINE_SECONDS:
            self.last = time.monotonic()
            self._print("preparation", {"title": title, "done": done, "planned": count})

    def _print(self, event: str, facts: dict[str, Any]) -> None:
        err.print(json.dumps({"event": event, "study": self.name, **facts}), markup=False, soft_wrap=True)


def standings_table(standings: Sequence[Standing], *, width: int | None = None) -> Table:
    """How far every loss is, a line each.

    Args:
        standings: one for each search.
        width: characters of a line; those of standard output where None.
    """
    # Counts are never cut. A name that has no room is broken behind its slashes, and where a word of it is still longer
    # there is no bar, so that words stay whole.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [_cells(standing) for standing in standings]
    widths = [max(len(head) + 1, *(len(row[place]) for row in cells), 0) for place, head in enumerate(HEADS)]
    # Two characters between columns, and one at each end.
    room = (width or out.width) - sum(widths) - 2 * len(HEADS) - 2
    longest = max((len(part) for one in standings for part in one.name.replace("/", "/\n").split("\n")), default=0)
    barred = longest <= room - BAR - 2
    room -= (BAR + 2) * barred
    table.add_column("loss", overflow="fold")
    if barred:
        table.add_column("", width=BAR)
    for head, least in zip(HEADS, widths, strict=True):
        table.add_column(head, justify="right", no_wrap=True, min_width=least)
    for standing, row in zip(standings, cells, strict=True):
        bar = [ProgressBar(total=max(1, standing.planned), completed=standing.done, width=BAR)] if barred else []
        table.add_row(broken_name(standing.name, room=room), *bar, *row)
    table.caption = "runs of the search and of the final retraining, test scores; best validation MAP@R in percent"
    return table


def broken_name(name: str, *, room: int) -> str:
    """A name in lines that end behind its slashes, each as long as there is room."""
    lines = [""]
    for part in name.replace("/", "/\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > room:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _cells(standing: Standing) -> tuple[str, ...]:
    pairs = (standing.search_runs, standing.final_runs, standing.scores)
    best = "" if standing.best is None else f"{100 * standing.best:.2f}"
    return (*(f"{done}/{planned}" for done, planned in pairs), str(standing.diverged), best)
