"""Jobs on nodes that share no disk with us, over any transport: what a node misses is sent, what it makes comes home.

A slot is a `NodeHost` somewhere. The work on one job is a conversation with it, a generator that yields what to ask.
Silence, loss and damage end the conversation as a failure of that job, and the slot gets a new host. Retries are not
ours: the study submits the job again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from realitycheck.errors import RunError, StorageError
from realitycheck.executors.arrivals import Arrival
from realitycheck.executors.base import Advance, Executor, Finished, Job
from realitycheck.executors.freight import CACHE, Cargo, Freight, Loading
from realitycheck.executors.node_files import CHECKING, MISSING
from realitycheck.executors.transport import HostFailed, HostLost, Transport
from realitycheck.runs import RESULTS_VERSION, Body
from realitycheck.stores.cache import checkpoint_path

CHUNK = 1 << 25
"""Bytes of a file that travel at once."""

CHUNKS = 16
"""How many of them stay available in memory."""

POLL_SECONDS = 1.0
"""How long a node waits for news before it answers that there is none."""

NODE_SECONDS = 300.0
"""A node that answers nothing for this long counts as lost. Its slowest answer is the first, when it loads torch."""

TICK = 0.2
"""Longest time between two rounds of `wait`."""

LONGEST_GAP = 2.0
"""What a longer gap between two rounds counts as: in it this process was stopped or at work, and heard nobody."""

GRACE = 5.0
"""Seconds that hosts have to end their jobs."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """What to ask a host next."""

    method: str
    values: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


Talk = Generator[_Ask, Any, Finished]


@dataclass(slots=True)
class _Slot:
    """Room for one job: its host, and the conversation about the job at work. `node` is empty until the host opened."""

    device: str | None
    host: Any = None
    node: str = ""
    machine: str | None = None
    job: Job | None = None
    talk: Talk | None = None
    call: Hashable = None
    started: float = 0.0
    silent: float = 0.0
    advance: Advance | None = None
    checkpointed: bool = False


class RemoteExecutor(Executor):
    """Runs jobs on the nodes of a transport.

    Args:
        transport: how to reach them.
        devices: one entry for each job at a time, as in `LocalExecutor`.
        show: gets what jobs print.
    """

    here = False

    def __init__(self, transport: Transport, *, devices: Sequence[str | None], show: Callable[[bytes], object]) -> None:
        self.transport, self.show = transport, show
        self._slots = [_Slot(device) for device in devices]
        self._loading = Loading()
        self._chunks: dict[tuple[str, int], Any] = {}
        self._arriving: dict[tuple[str, str], _Slot] = {}
        self._unsent: list[Finished] = []
        self._checked = time.monotonic()

    @property
    def free(self) -> int:
        """How many more jobs it would start at once."""
        return sum(slot.job is None for slot in self._slots)

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the running jobs are, by id."""
        return {slot.job.id: slot.advance for slot in self._slots if slot.job and slot.advance}

    def submit(self, job: Job, *, address: str) -> None:
        """Begin the conversation about a job; a host that has done a job is preferred to a new one."""
        try:
            freight = self._loading.freight_of(job)
        except StorageError:
            raise
        except (RunError, OSError) as error:
            self._unsent.append(Finished(job, None, str(error), 0.0))
            return
        slot = min((slot for slot in self._slots if slot.job is None), key=lambda slot: slot.host is None)
        if slot.host is None:
            slot.host = self.transport.start(device=slot.device)
        slot.job, slot.started, slot.silent, slot.advance, slot.checkpointed = job, time.monotonic(), 0.0, None, False
        slot.talk = self._converse(slot, job, freight, address)
        self._ask(slot, next(slot.talk))

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back, waiting for the first of them at most this number of seconds.

        Raises:
            RunError: a node has another version of this package.
            StorageError: what came home cannot be written.
        """
        end = time.monotonic() + seconds
        ended, self._unsent = self._unsent, []
        while not ended and any(slot.job for slot in self._slots):
            left = end - time.monotonic()
            ended = self._round(seconds=max(0.0, min(left, TICK)))
            if left <= 0:
                break
        return ended

    def close(self) -> None:
        """End every job and every host."""
        calls = []
        for slot in self._slots:
            if slot.talk is not None:
                slot.talk.close()
            if slot.host is not None and slot.node:
                calls.append(self.transport.call(slot.host, "close"))
        end = time.monotonic() + GRACE
        while calls and (left := end - time.monotonic()) > 0:
            done = self.transport.done(calls, seconds=left)
            calls = [call for call in calls if call not in done]
        for slot in self._slots:
            if slot.host is not None:
                self.transport.end(slot.host)
        self._slots = [_Slot(slot.device) for slot in self._slots]
        self.transport.close()

    def _round(self, *, seconds: float) -> list[Finished]:
        """Read the answers that have come, ask what comes next, and give up hosts that are silent."""
        waiting = {slot.call: slot for slot in self._slots if slot.job}
        done = set(self.transport.done(list(waiting), seconds=seconds))
        now = time.monotonic()
        gap, self._checked = min(now - self._checked, LONGEST_GAP), now
        ended = []
        for call, slot in waiting.items():
            if call in done:
                slot.silent = 0.0
                finished = self._proceed(slot, call)
            else:
                finished = self._grow_silent(slot, gap)
            ended += [finished] if finished else []
        return ended

    def _proceed(self, slot: _Slot, call: Hashable) -> Finished | None:
        assert slot.talk is not None
        try:
            self._ask(slot, slot.talk.send(self.transport.result(call)))
        except StopIteration as stop:
            slot.job = slot.talk = slot.call = None
            finished: Finished = stop.value
            return finished
        except HostLost as error:
            return self._lose(slot, f"the node of this job was lost: {error}", traceback=None)
        except HostFailed as error:
            last = str(error).strip().splitlines()[-1:]
            return self._lose(slot, f"the node could not do this job: {' '.join(last)}", traceback=str(error))
        return None

    def _grow_silent(self, slot: _Slot, gap: float) -> Finished | None:
        if not slot.node:  # it waits for room on a node
            return None
        slot.silent += gap
        if slot.silent <= NODE_SECONDS:
            return None
        return self._lose(slot, f"the node of this job has answered nothing for {NODE_SECONDS:.0f} s", traceback=None)

    def _lose(self, slot: _Slot, why: str, *, traceback: str | None) -> Finished:
        """Give a host up, with its job; a traceback says that the host is not lost, but could not do the job."""
        assert slot.job is not None and slot.talk is not None
        slot.talk.close()
        with suppress(HostLost):
            self.transport.end(slot.host)
        said = (why, time.monotonic() - slot.started, traceback, slot.machine)
        finished = Finished(slot.job, None, *said, advanced=slot.checkpointed and traceback is None)
        slot.host, slot.node, slot.machine = None, "", None
        slot.job = slot.talk = slot.call = slot.advance = None
        return finished

    def _ask(self, slot: _Slot, ask: _Ask) -> None:
        slot.call = self.transport.call(slot.host, ask.method, *ask.values, **ask.named)

    def _converse(self, slot: _Slot, job: Job, freight: Freight, address: str) -> Talk:
        if not slot.node:
            opened = yield _Ask("open")
            _require_same(opened)
            slot.node, slot.machine = opened["node"], opened["machine"]
        for cargo in freight.cargo:
            yield from self._bring(slot, cargo)
        links = {cargo.place: (cargo.sha256, cargo.kept) for cargo in freight.cargo}
        sent = Job(job.kind, job.id, job.group, job.title, freight.payload)
        yield _Ask("start", (sent,), {"address": address, "links": links})
        while True:
            news = yield _Ask("poll", (POLL_SECONDS,))
            if news["printed"]:
                self.show(news["printed"])
            if news["advance"]:
                slot.advance = Advance(*news["advance"])
            if news["file"]:
                yield from self._fetch(freight, news["file"])
                slot.checkpointed |= news["file"] == checkpoint_path(Path(CACHE), job.id).as_posix()
            elif news["answer"]:
                return _finished(job, freight, news["answer"], slot.machine)

    def _bring(self, slot: _Slot, cargo: Cargo) -> Generator[_Ask, Any, None]:
        """Send a file, unless the node has it; where another slot sends it to the same node, wait for that."""
        sender = (slot.node, cargo.sha256) if cargo.kept else (slot.node, f"{id(slot)} {cargo.sha256}")
        while True:
            state = yield _Ask("state_of", (cargo.sha256, cargo.size), {"kept": cargo.kept})
            if state == MISSING and sender not in self._arriving:
                break
            if state not in (MISSING, CHECKING):
                return
            if state == MISSING:
                yield _Ask("rest", (TICK,))
        self._arriving[sender] = slot
        try:
            for offset in range(0, max(cargo.size, 1), CHUNK):
                last = offset + CHUNK >= cargo.size
                named = {"kept": cargo.kept, "first": offset == 0, "last": last}
                yield _Ask("receive", (cargo.sha256, self._chunk(cargo, offset)), named)
        finally:
            del self._arriving[sender]

    def _chunk(self, cargo: Cargo, offset: int) -> Any:
        """A part of a file as all nodes can get it; the last few stay available, for other nodes."""
        key = (cargo.sha256, offset)
        if key not in self._chunks:
            with cargo.path.open("rb") as file:
                file.seek(offset)
                self._chunks[key] = self.transport.put(file.read(CHUNK))
            while len(self._chunks) > CHUNKS:
                del self._chunks[next(iter(self._chunks))]
        return self._chunks[key]

    def _fetch(self, freight: Freight, place: str) -> Generator[_Ask, Any, None]:
        """Bring a file of a job home."""
        home = freight.home_of(place)
        arrival = Arrival(home) if home else None
        try:
            sha256 = None
            while sha256 is None:
                chunk, sha256 = yield _Ask("send", (place,), {"size": CHUNK})
                if arrival:
                    arrival.write(chunk)
            if arrival:
                arrival.finish(sha256)
        except RunError as error:
            raise HostFailed(str(error)) from error
        finally:
            if arrival:
                arrival.abandon()


def _finished(job: Job, freight: Freight, answer: Body, machine: str | None) -> Finished:
    for place in answer["gone"]:  # set aside there; the file has come home under its new name
        if home := freight.home_of(place):
            home.unlink(missing_ok=True)
    said = (answer["body"], answer["failure"], answer["seconds"], answer["traceback"])
    return Finished(job, *said, machine=machine, steps=answer["steps"], storage=answer["storage"])


def _require_same(opened: Body) -> None:
    ours = {"realitycheck": version("realitycheck"), "results_version": RESULTS_VERSION}
    theirs = {name: opened[name] for name in ours}
    if theirs != ours:
        says = f"a node has realitycheck {theirs['realitycheck']}, results version {theirs['results_version']}"
        here = f"this machine has {ours['realitycheck']}, {ours['results_version']}"
        raise RunError(f"{says}; {here}. Install the same version on all nodes.")
