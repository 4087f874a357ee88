"""What Ctrl-C does, and when: the parent's side of it. Standard library alone, for it is set before all else loads."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def on_ctrl_c(does: Any) -> Any:
    """Set what Ctrl-C does, and return what it did before.

    Where it was switched off from outside, as for a job in the background, it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, does)
    return before


@contextmanager
def at_ctrl_c(does: Any) -> Iterator[None]:
    """Set what Ctrl-C does for a while."""
    before = on_ctrl_c(does)
    try:
        yield
    finally:
        on_ctrl_c(before)
