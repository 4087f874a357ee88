"""Processes of this machine: who this one is, whether another has ended, an end with the parent, and orphans."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Any

_STATE, _STARTED = 0, 19
"""Index of state and start time among the fields of `/proc/<process>/stat` that follow the command (proc(5))."""

_ENDED = ("Z", "X")
"""States of a process that has ended, and whose parent has not asked how: in a container, perhaps never."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
"""prctl(2)."""


@cache
def this_machine() -> str:
    """Eight hex digits for all processes among which a number is unique: this boot, and this container."""
    return hashlib.sha256(f"{platform.node()}\n{_system()}".encode()).hexdigest()[:8]


def this_process() -> dict[str, Any]:
    """The host, the system and the number of this process, and when it started, as plain JSON."""
    return {"host": platform.node(), "system": _system(), "process": os.getpid(), "started": _started(os.getpid())}


def has_ended(process: dict[str, Any]) -> bool:
    """Whether a process is known to have ended; of one on another machine nothing is known.

    Args:
        process: what `this_process` returned there. Its start counts, because numbers come again.
    """
    if (process.get("host"), process.get("system")) != (platform.node(), _system()):
        return False
    number = process.get("process")
    if not isinstance(number, int):
        return False
    return not is_alive(number) or _started(number) != process.get("started")


def is_alive(number: int) -> bool:
    """Whether this machine has a process of this number that has not ended."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):  # no system has numbers that long: a damaged lease
        return False
    except OSError:  # of another user
        pass
    return _field(number, _STATE) not in _ENDED


def end_with_parent() -> None:
    """Ask the system to kill this process when its parent ends, whatever it is at; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that it can be found; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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
    return _field(process, _STARTED)


def _field(process: int, index: int) -> str:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    return text.rpartition(")")[2].split()[index]
