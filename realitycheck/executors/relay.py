"""What a child process prints: passed on up to a bound, so that a flood of it fills neither a disk nor a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

SHOWN = 8 * 1024
"""Bytes that one job may print; the rest is read and dropped."""

KEPT = 16 * 1024
"""The last bytes are kept for the note of a failed attempt."""

FATAL = "Fatal Python error"
"""How `faulthandler` begins."""


def to_standard_error(chunk: bytes) -> None:
    """Show bytes as they are."""
    os.write(2, chunk)


class Relay:
    """Reads the output of one job until its end.

    Args:
        source: from where.
        show: gets the first bytes.
    """

    def __init__(self, source: Connection, *, show: Callable[[bytes], object]) -> None:
        self._source, self._show = source, show
        self._tail = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self, *, seconds: float) -> None:
        """Wait for the end of the output; a process that outlives its group may keep it open."""
        self._thread.join(seconds)

    @property
    def ended(self) -> bool:
        """Whether nobody holds the output open any more, and all of it is read."""
        return not self._thread.is_alive()

    @property
    def report(self) -> str | None:
        """Where a fault met the process, or the last lines of its output; None where it printed nothing."""
        text = self._tail.decode(errors="backslashreplace")
        start = text.rfind(FATAL)
        return (text[start:] if start >= 0 else "\n".join(text.splitlines()[-20:])) or None

    def _read(self) -> None:
        left = SHOWN
        with suppress(OSError):
            while chunk := os.read(self._source.fileno(), 1 << 16):
                self._tail = (self._tail + chunk)[-KEPT:]
                if left > 0:
                    self._pass_on(chunk[:left], more=len(chunk) > left)
                    left -= len(chunk)
            self._source.close()

    def _pass_on(self, chunk: bytes, *, more: bool) -> None:
        with suppress(OSError):
            self._show(chunk + (b"\n[more output of this job is not shown]\n" if more else b""))
