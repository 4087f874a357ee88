"""What ends a command from outside, and when: Ctrl-C, SIGTERM and SIGHUP, and for `work` also SIGUSR1 and its limit.

Standard library alone, for it is set before all else loads.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, what schedulers and `kill` send, and the end of a terminal."""

LEAVES = (signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM)
"""What asks a `work` to leave: preemption, the signal before a time limit, and its own limit."""

LEFT = 75
"""The exit code of a `work` that left before the end: try again (EX_TEMPFAIL of sysexits.h)."""


class Stopped(KeyboardInterrupt):
    """A signal ended the command; children are ended and leases given back on its way up."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def early_signals() -> Sequence[int]:
    """What ends the command of this process from its first moment, before it has read its arguments."""
    return (*STOPS, signal.SIGUSR1) if _command() == "work" else STOPS


def _command() -> str:
    return (sys.argv[1:2] or [""])[0]


def leave(number: int = signal.SIGINT, _: FrameType | None = None) -> NoReturn:
    """Print that the command stopped, and end the process at once, with the code that shells know: 128 + the signal.

    An exception raised inside a half-done import may be swallowed, and a regular exit takes torch some seconds.
    """
    command = _command()
    if command == "work" and number in LEAVES:
        os.write(2, b"Left before the end. Finished runs are recorded, others keep their checkpoints; `work` again.\n")
        os._exit(LEFT)
    kept = f" Every finished run is recorded; `{command}` again to continue." if command in ("run", "work") else ""
    os.write(2, f"Stopped.{kept}\n".encode())
    os._exit(128 + number)


def on_stop(does: Any, *, signals: Sequence[int] = STOPS) -> Mapping[int, Any]:
    """Set what signals do, and return what they did before.

    One that was switched off from outside stays so, as Ctrl-C for a job in the background, or SIGHUP under `nohup`.
    """
    before = {number: signal.getsignal(number) for number in signals}
    for number, action in before.items():
        if action is not signal.SIG_IGN:
            signal.signal(number, does)
    return before


@contextmanager
def at_stop(does: Any, *, signals: Sequence[int] = STOPS) -> Iterator[None]:
    """Set what signals do for a while."""
    before = on_stop(does, signals=signals)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def ending(*, after: float | None = None, signals: Sequence[int] = STOPS) -> Iterator[None]:
    """End what is done inside by an exception, so that it is cleaned up, then end the process.

    Args:
        after: seconds after which it ends by itself; None for no limit.
        signals: what ends it.
    """

    def end(number: int, _: FrameType | None) -> NoReturn:
        for other in set(signals) - {signal.SIGINT}:  # a second one must not interrupt the clean end; Ctrl-C may
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    with at_stop(end, signals=signals):
        signal.setitimer(signal.ITIMER_REAL, after or 0)
        try:
            yield
        except Stopped as stopped:
            leave(stopped.number)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
