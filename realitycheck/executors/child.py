"""What a child process does around its jobs: it reports, answers, waits for the next, and ends with its parent."""

from __future__ import annotations

import faulthandler
import json
import math
import os
import resource
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any

from realitycheck.executors.base import Tell
from realitycheck.executors.call import answer_of
from realitycheck.executors.process_state import ProcessState
from realitycheck.executors.usual_settings import tolerate_warnings
from realitycheck.processes import adopt_orphans, end_with_parent

TELL_SECONDS = 0.25
"""The least time between two reports of progress."""


def work(pipe: Connection, orders: Connection, output: Connection, address: str, text: str) -> None:
    """Do the jobs of a child process: one line of JSON through the pipe for each report, and one for the answer.

    A line `true` before an answer says that the process waits for another job, see `ProcessState`. A line `null` says
    that it has one.

    Args:
        pipe: to the parent.
        orders: from where further jobs come.
        output: where everything goes that the job prints.
        address: as in `call`.
        text: the payload as JSON.
    """
    os.setpgid(0, 0)  # the parent ends the whole group, and so the processes that a loss starts
    adopt_orphans()  # and those that leave the group
    _end_with_ours(pipe)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where others had started the fork server before us
    _print_to(output.fileno())
    output.close()
    faulthandler.enable(file=2, all_threads=True)  # writes where a fault or SIGABRT met the process
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would be as large as the process
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")  # ended before its parent is
    tolerate_warnings()
    own, state = os.getpid(), ProcessState()
    while _did(pipe, address, text, own, state):
        address, text = _next(orders)
        _write(pipe, "null")
        state.restore()
    # Not by way of exit handlers: those of torch's compiler, inherited from the fork server, wait for ever.
    os._exit(0)


def _did(pipe: Connection, address: str, text: str, own: int, state: ProcessState) -> bool:
    """Do a job and answer; whether the process may do another."""
    answer, reusable = answer_of(address, text, tell=_through(pipe, own), passes=())
    if os.getpid() != own:  # a process that the job has forked, which comes here as well
        os._exit(0)
    reusable = reusable and state.unchanged()
    if reusable:
        _close_output()
    _write(pipe, f"true\n{answer}" if reusable else answer)
    if not reusable:
        _flush()
    return reusable


def _next(orders: Connection) -> tuple[str, str]:
    """Wait for a job, and print to its output from now on; without a parent the process ends."""
    try:
        output = recv_handle(orders)
        address, text = json.loads(orders.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
    _print_to(output)
    os.close(output)
    return address, text


def _print_to(file: int) -> None:
    for number in (1, 2):
        os.dup2(file, number)


def _close_output() -> None:
    """End the output of a job, so that its reader comes to an end."""
    _flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _print_to(nowhere)
    os.close(nowhere)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _through(pipe: Connection, own: int) -> Tell:
    """A `Tell` that writes to the parent now and then, and never waits for it."""
    last = -math.inf

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_SECONDS and os.getpid() == own and select.select([], [pipe], [], 0)[1]:
            last = now
            _write(pipe, json.dumps([done, total]))

    return tell


def _write(pipe: Connection, line: str) -> None:
    rest = memoryview(line.encode() + b"\n")
    while rest:
        rest = rest[os.write(pipe.fileno(), rest) :]


def _end_with_ours(pipe: Connection) -> None:
    """End this process when its parent does, also where a job holds the interpreter's lock.

    The parent in the sense of the system is the fork server. It ends when nobody holds a pipe of it open: neither our
    parent, nor a child.
    """
    server: Any = forkserver._forkserver
    if (held := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(held)
        server._forkserver_alive_fd = None
    end_with_parent()
    threading.Thread(target=_wait_for_end, args=(pipe,), daemon=True).start()


def _wait_for_end(pipe: Connection) -> None:
    """The parent never writes: when the pipe has something to read, it is the end of the file, and of the parent."""
    wait([pipe])
    with suppress(OSError):
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
