"""N children at a time on this machine, one fresh process per job.

A fork server that has torch loaded starts each child in about 0.35 s (3 s by spawn, measured), and a child that is
killed, or that a plug-in has poisoned, touches nothing else. Ctrl-C is the parent's alone to handle: the fork server
and its children never hear of it.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from realitycheck.executors.base import Advance, Executor, Finished, Job, Tell
from realitycheck.executors.call import call, finished
from realitycheck.executors.fork_server import end_server, start_server

TELL_SECONDS = 0.25
"""The least time between two reports of progress of a child."""

GRACE = 5.0
"""Seconds that a child has to end after SIGTERM, before SIGKILL."""


@dataclass(slots=True)
class _Child:
    job: Job
    process: ForkServerProcess
    pipe: Connection
    started: float
    heard: float
    advance: Advance | None = None


class LocalExecutor(Executor):
    """Runs jobs in child processes.

    Args:
        workers: how many at a time.
        deadline: seconds after which a job counts as hanging and is killed.
        preload: modules that the fork server imports once for all children.
        pins: environment variables of the fork server and so of all children, set before they load any library.
    """

    def __init__(self, *, workers: int, deadline: float, preload: Sequence[str], pins: Mapping[str, str]) -> None:
        self.workers = workers
        self.deadline = deadline
        self.pins = dict(pins)
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._children: list[_Child] = []
        self._loading = False

    @property
    def free(self) -> int:
        """How many more jobs it would start at once."""
        return self.workers - len(self._children)

    def submit(self, job: Job, *, address: str) -> None:
        """Start a child on the job.

        Raises:
            RunError: the fork server of this process was started by others, without the pins.
        """
        ours, theirs = self._context.Pipe()
        text = json.dumps(job.payload)
        process = self._context.Process(target=_work, args=(theirs, address, text), daemon=True)
        try:
            self._start(process)
        except BaseException:
            ours.close()  # a child that starts after all finds its pipe at an end
            raise
        finally:
            theirs.close()
        now = time.monotonic()
        self._children.append(_Child(job, process, ours, now, now))

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back, waiting for the first of them at most this number of seconds."""
        end = time.monotonic() + seconds
        while not (ended := self._ended()) and (left := end - time.monotonic()) > 0:
            wait([child.pipe for child in self._children], timeout=left)
        return ended

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the running jobs are, by id."""
        return {child.job.id: child.advance for child in self._children if child.advance}

    def close(self) -> None:
        """End every child, and wait for its end."""
        broken_off = self._loading or bool(self._children)
        for child in self._children:
            _end(child.process)
            child.pipe.close()
        self._children.clear()
        if broken_off:
            end_server()
        self._loading = False

    def _start(self, process: ForkServerProcess) -> None:
        self._loading = True
        start_server(self.pins)
        process.start()  # the first time it waits until the server has loaded all that it should
        self._loading = False

    def _ended(self) -> list[Finished]:
        """Read what the children wrote, and take away those that answered, died or hang."""
        ended = []
        for child in list(self._children):
            finished = _hear(child)
            if finished is None and time.monotonic() - child.heard > self.deadline:
                failure = f"no answer within {self.deadline:.0f} s"
                finished = Finished(child.job, None, failure, time.monotonic() - child.started)
            if finished:
                self._children.remove(child)
                _end(child.process)
                child.pipe.close()
                ended.append(finished)
        return ended


def _hear(child: _Child) -> Finished | None:
    """Read what a child wrote; its answer, or why there is none, if it came to an end."""
    failure = ""
    try:
        while child.pipe.poll():
            text, now = child.pipe.recv_bytes().decode(), time.monotonic()
            said = json.loads(text)
            if isinstance(said, dict):
                return finished(child.job, text, seconds=now - child.started)
            done, total = said
            child.heard, child.advance = now, Advance(done, total, now - child.started)
        return None
    except (EOFError, OSError):
        child.process.join(GRACE)
        failure = f"the process ended without an answer (exit code {child.process.exitcode})"
    except (ValueError, TypeError):
        failure = "the process wrote something else into the pipe of its answer"
    return Finished(child.job, None, failure, time.monotonic() - child.started)


def _end(process: ForkServerProcess) -> None:
    process.join(GRACE if process.exitcode is not None else 0.05)
    if process.is_alive():
        process.terminate()
        process.join(GRACE)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


def _work(pipe: Connection, address: str, text: str) -> None:
    """In the child: do the job, answer, end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where others had started the fork server before us
    threading.Thread(target=_die_with_parent, args=(pipe,), daemon=True).start()
    pipe.send_bytes(call(address, text, tell=_through(pipe)).encode())
    # Not by way of exit handlers: those of torch's compiler, inherited from the fork server, wait for ever.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _through(pipe: Connection) -> Tell:
    """A `Tell` that writes to the parent now and then, and never waits for it."""
    last = -math.inf

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL_SECONDS and select.select([], [pipe], [], 0)[1]:
            last = now
            pipe.send_bytes(json.dumps([done, total]).encode())

    return tell


def _die_with_parent(pipe: Connection) -> None:
    """The parent never writes: when the pipe has something to read, it is the end of the file, and of the parent."""
    wait([pipe])
    os._exit(1)
