"""How far the running jobs are, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from realitycheck.executors.base import Advance, Job


def running_lines(jobs: Iterable[Job], advances: Mapping[str, Advance]) -> list[str]:
    """One line for each running job: its title, the iteration of how many, and the time that is left."""
    return [_line(job.title, advances.get(job.id)) for job in jobs]


def time_text(seconds: float) -> str:
    """A length of time with its unit: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _line(title: str, advance: Advance | None) -> str:
    if advance is None or advance.total <= 0:
        return title
    far = f"{title}, {advance.done:,} of {advance.total:,}"
    if not 0 < advance.done < advance.total:
        return far
    left = advance.seconds / advance.done * (advance.total - advance.done)
    return f"{far}, at most {time_text(left)} left"
