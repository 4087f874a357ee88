"""Ctrl-Z: children have process groups of their own, so a terminal stops our process alone; this stops them, too."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from realitycheck.executors.process_groups import send


class Suspension:
    """Stops groups of processes with ours, and lets them continue with it, from `begin` to `end`.

    Args:
        groups: the groups of now.
    """

    def __init__(self, groups: Callable[[], Iterable[int]]) -> None:
        self._groups = groups
        self._begun = False

    def begin(self) -> None:
        """Take over SIGTSTP, where it has its usual effect; only the main thread can."""
        if not self._begun and threading.current_thread() is threading.main_thread():
            self._begun = signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
            if self._begun:
                signal.signal(signal.SIGTSTP, self._stop)

    def end(self) -> None:
        """Give SIGTSTP its usual effect again."""
        if self._begun:
            with suppress(ValueError):  # another thread than the main one closes
                signal.signal(signal.SIGTSTP, signal.SIG_DFL)
                self._begun = False

    def _stop(self, *_: Any) -> None:
        groups = list(self._groups())
        for group in groups:
            send(group, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)  # returns when we continue
        for group in groups:
            send(group, signal.SIGCONT)
