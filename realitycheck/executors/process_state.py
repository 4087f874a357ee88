"""What one job could leave behind in its process for the next one: compared before and after, or set back."""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from realitycheck.executors.process_groups import held_by, members_of

GROWTH = 256 * 1024 * 1024
"""Bytes by which a process may grow over what it held before its first job.

A process that held 429 MB grew by 66 MB at most in 12 trainings of sketches, by 32 on frozen features of groceries.
"""

_LIMITS = tuple(sorted(number for name, number in vars(resource).items() if name.startswith("RLIMIT_")))

_STATUS = (b"SigBlk:", b"Threads:", b"Umask:")
"""Lines of /proc/self/status: blocked signals, number of threads, and permissions of new files."""

_GETTERS = (
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_default_dtype",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "is_anomaly_enabled",
    "is_autocast_cache_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_warn_always_enabled",
)
"""Functions of torch, without arguments, that return a setting of the whole process or of its main thread."""

_BACKENDS = {
    "cudnn": ("allow_tf32", "benchmark", "deterministic", "enabled"),
    "mkldnn": ("enabled", "deterministic"),
}
"""Module in `torch.backends` → its settings."""


class ProcessState:
    """The state of this process before its first job; only a process that shows the same gets another one.

    Global generators are set back to it, because every run seeds them. Linux alone shows all that is compared;
    elsewhere no process is reused.
    """

    def __init__(self) -> None:
        gc.freeze()  # later collections leave alone what the fork server has loaded: 0.1 s each, and copies of pages
        self._before, self._held = _shown(), held_by(os.getpid())
        self._generators = _generators()

    def unchanged(self) -> bool:
        """Whether a job left nothing behind: settings, files, threads, processes, and memory over a limit."""
        gc.collect()
        if not self._before or _shown() != self._before:
            return False
        return held_by(os.getpid()) - self._held <= GROWTH

    def restore(self) -> None:
        """Set the generators of `random`, NumPy and torch back."""
        random.setstate(self._generators["random"])
        if numpy := sys.modules.get("numpy"):
            numpy.random.set_state(self._generators["numpy"])
        if torch := sys.modules.get("torch"):
            torch.set_rng_state(self._generators["torch"])


def _generators() -> dict[str, Any]:
    states: dict[str, Any] = {"random": random.getstate()}
    if numpy := sys.modules.get("numpy"):
        states["numpy"] = numpy.random.get_state()
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.get_rng_state()
    return states


def _shown() -> dict[str, Any]:
    """Return name → value of what is compared; nothing where the system does not show it."""
    with suppress(OSError):
        return {**_system(), **_interpreter(), **_libraries()}
    return {}


def _system() -> dict[str, Any]:
    own = os.getpid()
    status = (Path("/proc/self/status")).read_bytes().splitlines()
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109
        "status": [line for line in status if line.startswith(_STATUS)],
        "limits": [resource.getrlimit(number) for number in _LIMITS],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": os.sched_getaffinity(0),
        "group": (os.getpgid(0), members_of(own)),
        "files": _open_files(),
        "signals": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "alarm": signal.getitimer(signal.ITIMER_REAL),
    }


def _open_files() -> dict[str, str]:
    """Return number → target of the open files; those of the jobs' output differ from job to job."""
    targets = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):  # that of the listing itself
            targets[name] = os.readlink(f"/proc/self/fd/{name}") if int(name) not in (1, 2) else ""  # noqa: PTH115
    return targets


def _interpreter() -> dict[str, Any]:
    return {
        "warnings": list(warnings.filters),
        "path": list(sys.path),
        "finders": [id(finder) for finder in sys.meta_path],
        "streams": [id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "hooks": [sys.excepthook, sys.gettrace(), sys.getprofile(), sys.unraisablehook, threading.excepthook],
        "limits of Python": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()),
        "faults": faulthandler.is_enabled(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
    }


def _libraries() -> Mapping[str, Any]:
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    errors = {"NumPy's errors": numpy.geterr()} if numpy else {}
    return {**errors, **(_torch(torch) if torch else {})}


def _torch(torch: ModuleType) -> dict[str, Any]:
    settings: dict[str, Any] = {name: getattr(torch, name)() for name in _GETTERS}
    for backend, names in _BACKENDS.items():
        module = getattr(torch.backends, backend)
        settings |= {f"{backend}.{name}": getattr(module, name, None) for name in names}
    settings |= {f"autocast.{kind}": torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")}
    settings |= {f"autocast type.{kind}": torch.get_autocast_dtype(kind) for kind in ("cpu", "cuda")}
    settings["fill"] = torch.utils.deterministic.fill_uninitialized_memory
    settings["tf32"] = torch.backends.cuda.matmul.allow_tf32
    return settings
