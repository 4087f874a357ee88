"""Draw the figures of a report on all processors: with 34 panels they take a third of its time.

Each further process is a fork of this one, which sends the documents back. They are the same wherever they are drawn;
what a process does not send is drawn here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from realitycheck.processes import end_with_parent
from realitycheck.report.blocks import Figure

LEAST = 10.0
"""Inches of figures, one below the other, for which a further process is worth its start: 0.2 to 0.4 s."""

TEXTS = 0.3
"""What this process does beside drawing, as a part of all drawing.

A report of 34 losses takes 0.2 s less than with 0.2, which shares its five figures less evenly.
"""


@contextmanager
def drawing(figures: Sequence[Figure]) -> Iterator[None]:
    """Draw figures, so that each has its document afterwards; what is done inside, others draw meanwhile."""
    ordered = sorted(figures, key=lambda figure: figure.height)
    for figure in ordered[:1]:
        _ = figure.svg  # here: what matplotlib loads for its first drawing is then there in every process
    own, *others = shares(ordered[1:], processes_for(ordered[1:]))
    children = [child for share in others if (child := _start(share)) is not None]
    try:
        yield
        for figure in own:
            _ = figure.svg
        for child in children:
            child.take_over()
    finally:
        for child in children:
            child.end()


def processes_for(figures: Sequence[Figure]) -> int:
    """How many processes draw: one where this process has threads, which a fork does not copy, or is not on Linux."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    worth = 1 + int(sum(figure.height for figure in figures) // LEAST)
    return max(1, min(len(os.sched_getaffinity(0)), len(figures), worth))


def shares(figures: Sequence[Figure], count: int) -> list[list[Figure]]:
    """The figures of each process, this one first: the highest ones first, each to the one with the least to do."""
    parts: list[list[Figure]] = [[] for _ in range(count)]
    heights = [TEXTS * sum(figure.height for figure in figures)] + [0.0] * (count - 1)
    for figure in sorted(figures, key=lambda figure: -figure.height):
        least = heights.index(min(heights))
        parts[least].append(figure)
        heights[least] += figure.height
    return parts


@dataclass(frozen=True, slots=True)
class _Drawer:
    """A fork of this process, the end of its pipe, and the figures that it draws."""

    process: int
    pipe: int
    figures: Sequence[Figure]

    def take_over(self) -> None:
        """Wait for the documents; where the process came to an end without them, the figures stay undrawn."""
        with os.fdopen(self.pipe, "rb", closefd=False) as file:
            text = file.read()
        if text.endswith(b"\n"):
            for figure, svg in zip(self.figures, json.loads(text), strict=True):
                figure.take(svg)

    def end(self) -> None:
        """Kill a process that still draws or writes, and wait for its end.

        A closed pipe would not end it: the processes that were started later hold the pipe open as well.
        """
        os.close(self.pipe)
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def _start(figures: Sequence[Figure]) -> _Drawer | None:
    """A fork that draws; None where this machine has no room for one."""
    ours, theirs = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # or the child writes it again
    with warnings.catch_warnings():
        # Python cannot see that the threads of numpy wait: they hold no lock, and numpy starts its own in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            process = os.fork()
        except OSError:
            os.close(ours)
            os.close(theirs)
            return None
    if process == 0:
        os.close(ours)
        _draw(figures, theirs)
    os.close(theirs)
    return _Drawer(process, ours, figures)


def _draw(figures: Sequence[Figure], pipe: int) -> NoReturn:
    """The whole life of the child; what goes wrong here goes wrong again in the parent, which reports it."""
    try:
        end_with_parent()
        text = json.dumps([figure.svg for figure in figures])
        with os.fdopen(pipe, "wb") as file:
            file.write(text.encode() + b"\n")
    finally:
        os._exit(0)
