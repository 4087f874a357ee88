"""A child process as its parent sees it: its job, what it wrote, and its end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import send_handle

from realitycheck.executors.base import Advance, Finished, Job
from realitycheck.executors.call import finished
from realitycheck.executors.fork_server import end_orphans
from realitycheck.executors.process_groups import kill_group, send
from realitycheck.executors.relay import Relay

GRACE = 5.0
"""Seconds that a child has to end once it is killed. One that waits for a broken disk or GPU is then left behind."""

JOBS = 64
"""Jobs that one process does at most; its start then costs 1/64 of what it would for each."""

ORDER_BYTES = 64 * 1024
"""The longest job that is sent to a process that waits: a socket takes more than that without a reader."""


@dataclass(slots=True)
class Child:
    """A process and its job: `silent` is for how many seconds it could have reported something, and did not.

    `waits` says that it has offered to do another job, and `jobs` how many it was given. `taken` is false until a
    process that waited says that it has the order: a process that was killed accepts one for some time.
    """

    job: Job
    address: str
    slot: int
    process: ForkServerProcess
    group: int
    pipe: Connection
    orders: Connection
    relay: Relay
    started: float
    silent: float = 0.0
    advance: Advance | None = None
    unread: bytes = b""
    waits: bool = False
    taken: bool = True
    jobs: int = 1

    def failed(self, why: str, *, traceback: str | None = None) -> Finished:
        """Return that the job came back without a body."""
        return Finished(self.job, None, why, time.monotonic() - self.started, traceback)

    def may_wait(self) -> bool:
        """Whether it may wait for another job: it offered to, all that it wrote is read, and it is not too old."""
        if not self.waits or self.jobs >= JOBS or self.unread:
            return False
        self.relay.close(seconds=1.0)
        with suppress(OSError):
            return self.relay.ended and not self.pipe.poll()
        return False

    def give(self, job: Job, address: str, order: bytes, *, show: Callable[[bytes], object]) -> bool:
        """Send it another job; whether that could be sent."""
        if self.process.exitcode is not None:
            return False
        printed, output = Pipe(duplex=False)
        try:
            send_handle(self.orders, output.fileno(), self.group)
            self.orders.send_bytes(order)
        except OSError:
            printed.close()
            return False
        finally:
            output.close()
        self.job, self.address, self.started, self.relay = job, address, time.monotonic(), Relay(printed, show=show)
        self.silent, self.advance, self.waits, self.taken, self.jobs = 0.0, None, False, False, self.jobs + 1
        return True


def hear(child: Child) -> Finished | None:
    """Read what a child wrote; its answer, or why there is none, if it came to an end."""
    dead = child.process.exitcode is not None  # asked first: what it wrote before is read below
    with suppress(OSError):
        while child.pipe.poll():
            chunk = os.read(child.pipe.fileno(), 1 << 16)
            if not chunk:
                dead = True
                break
            *lines, child.unread = (child.unread + chunk).split(b"\n")
            for line in lines:
                if answer := _read(child, line):
                    return answer
    return _lost(child) if dead else None


def _read(child: Child, line: bytes) -> Finished | None:
    """Read a line: a report of progress, or the answer."""
    seconds = time.monotonic() - child.started
    try:
        said = json.loads(line.decode())
        if said is True:
            child.waits = True
            return None
        if said is None:
            child.taken = True
            return None
        if isinstance(said, dict):
            return finished(child.job, line.decode(), seconds=seconds)
        done, total = said
        child.silent, child.advance = 0.0, Advance(int(done), int(total), seconds)
    except (ValueError, TypeError):
        return child.failed("the process wrote something else into the pipe of its answer")
    return None


def _lost(child: Child) -> Finished:
    """Why a process that ended has not answered."""
    child.process.join(GRACE)
    code = child.process.exitcode
    send(child.group, signal.SIGKILL)  # what it started may hold the output open
    child.relay.close(seconds=1.0)
    name = f", {signal.Signals(-code).name}" if code is not None and -code in set(signal.Signals) else ""
    return child.failed(f"the process ended without an answer (exit code {code}{name})", traceback=child.relay.report)


def aborted(child: Child) -> str | None:
    """End a process, and return where it was: `faulthandler` writes that, whoever holds the interpreter's lock."""
    with suppress(OSError):
        os.kill(child.group, signal.SIGABRT)
    child.process.join(1.0)
    send(child.group, signal.SIGKILL)
    child.relay.close(seconds=1.0)
    return child.relay.report


def kill(child: Child) -> None:
    """Kill a child and the processes that it started.

    One that ended while it waited had started none, and the system may have given its number to another process since.
    """
    if not child.waits or child.process.exitcode is None:
        kill_group(child.group)


def end(child: Child) -> None:
    """End a child and the processes that it started. A job has nothing to save: what it writes is published whole."""
    child.process.join(0.05)  # after an answer it ends by itself
    kill(child)
    child.process.join(GRACE)
    end_orphans()
    child.relay.close(seconds=1.0)
    child.pipe.close()
    child.orders.close()
    with suppress(ValueError):  # it does not end
        child.process.close()
