"""N children at a time on this machine, one fresh process per job.

A fork server that has torch loaded starts each child in about 0.35 s (3 s by spawn, measured), and a child that is
killed, or that a plug-in has poisoned, touches nothing else. Ctrl-C is the parent's alone to handle: the fork server
and its children never hear of it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from realitycheck.executors.base import Executor, Finished, Job
from realitycheck.executors.call import call, finished
from realitycheck.executors.fork_server import end_server, start_server

GRACE = 5.0
"""Seconds that a child has to end after SIGTERM, before SIGKILL."""


@dataclass(slots=True)
class _Child:
    job: Job
    process: ForkServerProcess
    pipe: Connection
    started: float


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
        self._children.append(_Child(job, process, ours, time.monotonic()))

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back, waiting for the first of them at most this number of seconds."""
        wait([child.pipe for child in self._children], timeout=seconds)
        now = time.monotonic()
        ended = []
        for child in list(self._children):
            late = now - child.started > self.deadline
            if late or child.pipe.poll():
                self._children.remove(child)
                ended.append(self._finish(child, late=late))
        return ended

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

    def _finish(self, child: _Child, *, late: bool) -> Finished:
        seconds = time.monotonic() - child.started
        if late and not child.pipe.poll():
            answer = Finished(child.job, None, f"no answer within {self.deadline:.0f} s", seconds)
        else:
            answer = _answer(child, seconds)
        _end(child.process)
        child.pipe.close()
        return answer


def _answer(child: _Child, seconds: float) -> Finished:
    try:
        return finished(child.job, child.pipe.recv_bytes().decode(), seconds=seconds)
    except (EOFError, OSError):
        child.process.join(GRACE)
        failure = f"the process ended without an answer (exit code {child.process.exitcode})"
    except ValueError:
        failure = "the process wrote something else into the pipe of its answer"
    return Finished(child.job, None, failure, seconds)


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
    pipe.send_bytes(call(address, text).encode())
    # Not by way of exit handlers: those of torch's compiler, inherited from the fork server, wait for ever.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _die_with_parent(pipe: Connection) -> None:
    """The parent never writes: when the pipe has something to read, it is the end of the file, and of the parent."""
    wait([pipe])
    os._exit(1)
