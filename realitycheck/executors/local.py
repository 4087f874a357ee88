"""N children at a time on this machine, one fresh process per job.

A fork server that has torch loaded starts each child in about 0.35 s (3 s by spawn, measured). Each child leads a
process group, so one that is killed, or that a plug-in has poisoned, affects nothing else and leaves nothing behind.
Ctrl-C is the parent's alone to handle: the fork server and its children never hear of it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from realitycheck.errors import RunError
from realitycheck.executors.base import Advance, Executor, Finished, Job, on_device
from realitycheck.executors.call import finished
from realitycheck.executors.child import work
from realitycheck.executors.fork_server import end_server, start_server
from realitycheck.executors.process_groups import is_stopped, memory_of, send
from realitycheck.executors.relay import Relay, to_standard_error
from realitycheck.executors.suspension import Suspension

TICK = 0.5
"""Seconds between two checks of silence and memory."""

LONGEST_GAP = 4 * TICK
"""What a longer gap between two checks counts as: in it, this process was stopped or at work, and read no report."""

GRACE = 5.0
"""Seconds that a child has to end once it is killed. One that waits for a broken disk or GPU is then left behind."""

STARTS = 3
"""How often a fork server is started for one job, where it is killed while it loads."""


@dataclass(slots=True)
class _Child:
    """A job at work: `silent` is for how many seconds it could have reported something, and did not."""

    job: Job
    slot: int
    process: ForkServerProcess
    group: int
    pipe: Connection
    relay: Relay
    started: float
    silent: float = 0.0
    advance: Advance | None = None
    unread: bytes = b""

    def failed(self, why: str, *, traceback: str | None = None) -> Finished:
        return Finished(self.job, None, why, time.monotonic() - self.started, traceback)


class LocalExecutor(Executor):
    """Runs jobs in child processes.

    Args:
        devices: one entry for each job at a time: the device that it gets in the place of its payload, or None to
            leave the place as it is.
        deadline: seconds of silence, without a report of progress, after which a job counts as hanging and is killed.
            Time in which the job or this process is stopped does not count.
        memory: bytes that a job and its processes may hold, or None. Known on Linux alone.
        preload: modules that the fork server imports once for all children.
        pins: environment variables of the fork server and so of all children, set before they load any library.
        show: gets what jobs print, see `Relay`.
    """

    def __init__(
        self,
        *,
        devices: Sequence[str | None],
        deadline: float,
        memory: int | None,
        preload: Sequence[str],
        pins: Mapping[str, str],
        show: Callable[[bytes], object] = to_standard_error,
    ) -> None:
        self.devices = tuple(devices)
        self.deadline, self.memory = deadline, memory
        self.pins, self.show = dict(pins), show
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._children: list[_Child] = []
        self._checked = time.monotonic()
        self._loading = False
        self._suspension = Suspension(lambda: [child.group for child in self._children])

    @property
    def free(self) -> int:
        """How many more jobs it would start at once."""
        return len(self.devices) - len(self._children)

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the running jobs are, by id."""
        return {child.job.id: child.advance for child in self._children if child.advance}

    def submit(self, job: Job, *, address: str) -> None:
        """Start a child on the job, on the first free device.

        Raises:
            RunError: the fork server of this process was started by others, without the pins, or is killed each time.
        """
        slot = min(set(range(len(self.devices))) - {child.slot for child in self._children})
        text = json.dumps(on_device(job.payload, self.devices[slot]))
        self._suspension.begin()
        ours, theirs = self._context.Pipe()
        printed, output = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(theirs, output, address, text), daemon=True)
        try:
            self._start(process)
        except BaseException:
            ours.close()  # a child that starts after all finds its pipe at an end
            printed.close()
            raise
        finally:
            theirs.close()
            output.close()
        assert process.pid is not None
        self._children.append(
            _Child(job, slot, process, process.pid, ours, Relay(printed, show=self.show), time.monotonic())
        )

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back, waiting for the first of them at most this number of seconds."""
        end = time.monotonic() + seconds
        while not (ended := self._ended()) and (left := end - time.monotonic()) > 0:
            pipes = [child.pipe for child in self._children]
            wait([*pipes, *(child.process.sentinel for child in self._children)], timeout=min(left, TICK))
        return ended

    def close(self) -> None:
        """End every child, and wait for its end."""
        broken_off = self._loading or bool(self._children)
        for child in self._children:
            send(child.group, signal.SIGKILL)
        while self._children:
            _end(self._children.pop())
        if broken_off:
            end_server()
        self._loading = False
        self._suspension.end()

    def _start(self, process: ForkServerProcess) -> None:
        """Start a child; a fork server that was killed, as by the system for its memory, is started again."""
        self._loading = True
        for last in (False,) * (STARTS - 1) + (True,):
            try:
                start_server(self.pins)
                process.start()  # the first time it waits until the server has loaded all that it should
                break
            except (EOFError, OSError) as error:
                end_server()
                if last:
                    says = f"the process that starts the jobs was ended {STARTS} times while it loaded"
                    raise RunError(f"{says}: {error}. Free memory on this machine, and `run` again.") from error
        self._loading = False

    def _ended(self) -> list[Finished]:
        """Read what the children wrote, and take away those that answered, died, hang or hold too much memory."""
        now = time.monotonic()
        gap, limited = now - self._checked, now - self._checked >= TICK and self.memory is not None
        self._checked = now if gap >= TICK else self._checked
        held = memory_of([child.group for child in self._children]) if limited else {}
        ended = []
        for child in list(self._children):
            finished = _hear(child) or self._over(child, held.get(child.group, 0))
            if finished is None and gap >= TICK and not is_stopped(child.group):
                child.silent += min(gap, LONGEST_GAP)
            finished = finished or self._hanging(child)
            if finished:
                self._children.remove(child)
                _end(child)
                ended.append(finished)
        return ended

    def _over(self, child: _Child, held: int) -> Finished | None:
        if self.memory is None or held <= self.memory:
            return None
        sizes = f"the job held {held / 1e9:.2f} GB of memory, and {self.memory / 1e9:.2f} GB are allowed"
        return child.failed(f"{sizes} (`--memory`)", traceback=_aborted(child))

    def _hanging(self, child: _Child) -> Finished | None:
        if child.silent <= self.deadline:
            return None
        says = f"no report of progress for {self.deadline:.0f} s, so it counts as hanging (`--deadline`)"
        return child.failed(says, traceback=_aborted(child))


def _hear(child: _Child) -> Finished | None:
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


def _read(child: _Child, line: bytes) -> Finished | None:
    """Read a line: a report of progress, or the answer."""
    seconds = time.monotonic() - child.started
    try:
        said = json.loads(line.decode())
        if isinstance(said, dict):
            return finished(child.job, line.decode(), seconds=seconds)
        done, total = said
        child.silent, child.advance = 0.0, Advance(int(done), int(total), seconds)
    except (ValueError, TypeError):
        return child.failed("the process wrote something else into the pipe of its answer")
    return None


def _lost(child: _Child) -> Finished:
    """Why a process that ended has not answered."""
    child.process.join(GRACE)
    code = child.process.exitcode
    send(child.group, signal.SIGKILL)  # what it started may hold the output open
    child.relay.close(seconds=1.0)
    name = f", {signal.Signals(-code).name}" if code is not None and -code in set(signal.Signals) else ""
    return child.failed(f"the process ended without an answer (exit code {code}{name})", traceback=child.relay.report)


def _aborted(child: _Child) -> str | None:
    """End a process, and return where it was: `faulthandler` writes that, whoever holds the interpreter's lock."""
    with suppress(OSError):
        os.kill(child.group, signal.SIGABRT)
    child.process.join(1.0)
    send(child.group, signal.SIGKILL)
    child.relay.close(seconds=1.0)
    return child.relay.report


def _end(child: _Child) -> None:
    """End a child and the processes that it started. A job has nothing to save: what it writes is published whole."""
    child.process.join(0.05)  # after an answer it ends by itself
    send(child.group, signal.SIGKILL)
    child.process.join(GRACE)
    child.relay.close(seconds=1.0)
    child.pipe.close()
    with suppress(ValueError):  # it does not end
        child.process.close()
