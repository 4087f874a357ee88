"""How a `run` ended, and what hears of it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realitycheck.errors import RunError
from realitycheck.executors.base import Finished
from realitycheck.search.first_trials import SetAside
from realitycheck.search.standing import Standing
from realitycheck.verbs.html_tables import standings_html


@dataclass(frozen=True, slots=True)
class Activity:
    """A job that is being done.

    Args:
        title: what it is, and how far.
        elsewhere: whether another worker does it, while this one has nothing to do but wait.
    """

    title: str
    elsewhere: bool

    def __str__(self) -> str:
        return f"waiting for {self.title}" if self.elsewhere else self.title


Watch = Callable[[Sequence[Standing], Sequence[Activity]], None]
"""Called every second or so with the standing of every loss and the jobs at work."""


@dataclass(frozen=True, slots=True)
class StudyResult:
    """How a `run` ended.

    Args:
        left: jobs that were given up after three failures, and why.
        alarms: records that came twice and differed.
        standings: how far every loss is.
        raised: tracebacks of exceptions that losses raised, one for every place.
        set_aside: searches that are FAILED: their first trials all raised one exception, and nothing of them is
            recorded, or jobs of them were given up.
    """

    left: tuple[str, ...]
    alarms: tuple[str, ...]
    standings: tuple[Standing, ...]
    raised: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    @property
    def unfinished(self) -> bool:
        """Whether something is left over that only another `run` can bring to an end."""
        return bool(self.left or self.alarms or self.set_aside)

    @property
    def left_over(self) -> tuple[str, ...]:
        """Those of `left` that belong to no loss that is set aside."""
        groups = tuple(f"{aside.group}:" for aside in self.set_aside)
        return tuple(reason for reason in self.left if not reason.startswith(groups))

    def _repr_html_(self) -> str:
        """Show in a notebook how far every loss is, and below it what is left over."""
        left = (*self.left_over, *map(str, self.set_aside), *(f"alarm: {alarm}" for alarm in self.alarms))
        return standings_html(self.standings, notes=left or ("Nothing is left over.",))


class UnfinishedStudy(RunError):
    """A study of which something is left over: jobs that were given up, a loss that is FAILED, or an alarm.

    Args:
        result: how the `run` ended; everything that is finished is recorded.
    """

    def __init__(self, result: StudyResult) -> None:
        self.result = result
        parts = [*result.left_over, *map(str, result.set_aside), *(f"alarm: {alarm}" for alarm in result.alarms)]
        super().__init__("\n".join(["The study could not finish; run it again to try these jobs anew.", *parts]))


Hear = Callable[[Finished], None]
"""Called with every job that failed or whose loss raised an exception, as soon as it is back."""


def unheard(finished: Finished) -> None:
    """A `Hear` that shows nothing."""


def silent(standings: Sequence[Standing], running: Sequence[Activity]) -> None:
    """A watch that shows nothing."""
