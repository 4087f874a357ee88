"""Which process this is, and whether a process of this machine has ended: by its start, for numbers come again."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

from realitycheck.runs import Body

_STARTED = 19
"""Index of the start time among the fields of `/proc/<process>/stat` that follow the command (proc(5): field 22)."""


def this_process() -> Body:
    """The host, the system and the number of this process, and when it started."""
    return {"host": platform.node(), "system": _system(), "process": os.getpid(), "started": _started(os.getpid())}


def has_ended(process: Body) -> bool:
    """Whether a process is known to have ended; of one on another machine nothing is known.

    Args:
        process: what `this_process` returned there.
    """
    if (process.get("host"), process.get("system")) != (platform.node(), _system()):
        return False
    number = process.get("process")
    if not isinstance(number, int):
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except OSError:  # of another user
        pass
    return _started(number) != process.get("started")


@cache
def _system() -> str:
    """This boot and this space of process numbers: containers of one name each have their own."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    try:
        return f"{boot.read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process started, in clock ticks since boot; empty where the system does not say."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    return text.rpartition(")")[2].split()[_STARTED]
