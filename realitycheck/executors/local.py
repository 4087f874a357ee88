"""N children at a time on this machine; one does another job only where it shows that the last left nothing behind.

A fork server that has torch loaded starts each child. Each child leads a process group, so one that is killed, or that
a plug-in has poisoned, affects nothing else and leaves nothing behind. After a job with code of a plug-in, on a GPU or
without a normal end the process ends, see `VerbAnswer.reusable` and `ProcessState`.
Ctrl-C is the parent's alone to handle: the fork server and its children never hear of it.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import NamedTuple

from realitycheck.errors import RunError
from realitycheck.executors.base import Advance, Executor, Finished, Job, on_device
from realitycheck.executors.child import work
from realitycheck.executors.children import ORDER_BYTES, Child, aborted, end, hear, kill
from realitycheck.executors.fork_server import end_server, start_server
from realitycheck.executors.process_groups import is_stopped, memory_of
from realitycheck.executors.relay import Relay, to_standard_error
from realitycheck.executors.suspension import Suspension

TICK = 0.5
"""Seconds between two checks of silence and memory."""

LONGEST_GAP = 4 * TICK
"""What a longer gap between two checks counts as: in it, this process was stopped or at work, and read no report."""

ADOPTING = "realitycheck.executors.adopting"
"""The module that the fork server imports last."""

STARTS = 3
"""How often a fork server is started for one job, where it is killed while it loads."""


class _Held(NamedTuple):
    """A job that waits until its device is empty."""

    job: Job
    address: str
    device: str | None


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
        self._context.set_forkserver_preload([*preload, ADOPTING])
        self._children: list[Child] = []
        self._waiting: list[Child] = []
        self._held: list[_Held] = []
        self._failed: set[str] = set()
        self._checked = time.monotonic()
        self._loading = False
        self._suspension = Suspension(lambda: [child.group for child in self._children])

    @property
    def free(self) -> int:
        """How many more jobs it would start at once, or when their device is empty."""
        return len(self._open_slots())

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the running jobs are, by id."""
        return {child.job.id: child.advance for child in self._children if child.advance}

    def warm_up(self) -> None:
        """Start the fork server, which loads torch for seconds; images can be decoded meanwhile."""
        with suppress(OSError, RunError):
            start_server(self.pins)
            self._loading = True

    def submit(self, job: Job, *, address: str) -> None:
        """Start a child on the job, on the first free device; one that is `alone` waits for a device without others.

        Raises:
            RunError: the fork server of this process was started by others, without the pins, or is killed each time.
        """
        self._suspension.begin()
        if job.alone:
            self._held.append(_Held(job, address, self._emptiest()))
            self._start_held()
            return
        open_slots = self._open_slots()
        waiting = next((child for child in self._waiting if child.slot in open_slots), None)
        if job.id in self._failed or waiting is None or not self._give(waiting, job, address):
            self._launch(job, address, self._free_slot(open_slots))

    def _start_held(self) -> None:
        """Start the jobs whose device has become empty."""
        for held in list(self._held):
            if not self._jobs_on(held.device):
                self._held.remove(held)
                first = self.devices.index(held.device)
                self._launch(held.job, held.address, self._free_slot([first]))

    def _launch(self, job: Job, address: str, slot: int) -> None:
        text = json.dumps(on_device(job.payload, self.devices[slot]))
        ours, theirs = self._context.Pipe()
        orders, their_orders = self._context.Pipe()  # a socket, which can carry the output of the next job
        printed, output = self._context.Pipe(duplex=False)
        args = (theirs, their_orders, output, address, text)
        process = self._context.Process(target=work, args=args, daemon=True)
        try:
            self._start(process)
        except BaseException:
            for end_of_ours in (ours, orders, printed):  # a child that starts after all finds its pipe at an end
                end_of_ours.close()
            raise
        finally:
            for end_of_theirs in (theirs, their_orders, output):
                end_of_theirs.close()
        assert process.pid is not None
        relay = Relay(printed, show=self.show)
        self._children.append(Child(job, address, slot, process, process.pid, ours, orders, relay, time.monotonic()))

    def _give(self, child: Child, job: Job, address: str) -> bool:
        """Give a job to a process that waits; whether that could be sent. One that cannot be reached is ended."""
        order = json.dumps([address, json.dumps(on_device(job.payload, self.devices[child.slot]))]).encode()
        if len(order) > ORDER_BYTES:
            return False
        self._waiting.remove(child)
        if given := child.give(job, address, order, show=self.show):
            self._children.append(child)
        else:
            end(child)
        return given

    def _open_slots(self) -> list[int]:
        """Return the slots without a job on devices that no job has, or is to have, to itself."""
        taken = {child.slot for child in self._children}
        own = {self.devices[child.slot] for child in self._children if child.job.alone}
        own |= {held.device for held in self._held}
        return [slot for slot, device in enumerate(self.devices) if slot not in taken and device not in own]

    def _emptiest(self) -> str | None:
        """Return the device with the fewest jobs among those that take one more."""
        return min((self.devices[slot] for slot in self._open_slots()), key=self._jobs_on)

    def _jobs_on(self, device: str | None) -> int:
        return sum(self.devices[child.slot] == device for child in self._children)

    def _free_slot(self, slots: Sequence[int]) -> int:
        """Return one of these slots without a process; where one waits in each, the longest waiting is ended."""
        waiting = [child for child in self._waiting if child.slot in slots]
        if len(waiting) < len(slots):
            return min(set(slots) - {child.slot for child in waiting})
        self._waiting.remove(waiting[0])
        end(waiting[0])
        return waiting[0].slot

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back, waiting for the first of them at most this number of seconds."""
        until = time.monotonic() + seconds
        while not (ended := self._ended()) and (left := until - time.monotonic()) > 0:
            pipes = [child.pipe for child in self._children]
            wait([*pipes, *(child.process.sentinel for child in self._children)], timeout=min(left, TICK))
        return ended

    def close(self) -> None:
        """End every child, and wait for its end."""
        broken_off = self._loading or bool(self._children)
        ending = [*self._children, *self._waiting]
        for child in ending:
            kill(child)
        for child in ending:
            end(child)
        self._children, self._waiting, self._held = [], [], []
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
            finished = hear(child) or self._over(child, held.get(child.group, 0))
            if finished is None and gap >= TICK and not is_stopped(child.group):
                child.silent += min(gap, LONGEST_GAP)
            finished = finished or self._hanging(child)
            if finished:
                self._children.remove(child)
                self._take_leave(child, finished)
                if child.taken:
                    ended.append(finished)
                else:  # no attempt of the job: its process had ended, or was ending, while it waited
                    self._launch(child.job, child.address, child.slot)
        self._start_held()
        return ended

    def _take_leave(self, child: Child, finished: Finished) -> None:
        """Let a process wait for another job, or end it; a job that failed gets a fresh process the next time."""
        if finished.body is None:
            self._failed.add(child.job.id)
        if finished.body is not None and child.may_wait():
            self._waiting.append(child)
        else:
            end(child)

    def _over(self, child: Child, held: int) -> Finished | None:
        if self.memory is None or held <= self.memory:
            return None
        sizes = f"the job held {held / 1e9:.2f} GB of memory, and {self.memory / 1e9:.2f} GB are allowed"
        return child.failed(f"{sizes} (`--memory`)", traceback=aborted(child))

    def _hanging(self, child: Child) -> Finished | None:
        if child.silent <= self.deadline:
            return None
        says = f"no report of progress for {self.deadline:.0f} s, so it counts as hanging (`--deadline`)"
        return child.failed(says, traceback=aborted(child))
