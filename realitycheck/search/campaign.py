"""The one loop: todo, submit, wait, append."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from realitycheck.canonical import canonical_json
from realitycheck.errors import LedgerError
from realitycheck.executors.base import Executor, Finished, Job
from realitycheck.records.from_json import read_record
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Record, Run
from realitycheck.runs import Body
from realitycheck.search.agenda import Agenda
from realitycheck.search.first_trials import FIRST, FirstTrials, Held, Raised, SetAside

ATTEMPTS = 3
"""A job with this many failures in one `run` is given up; everything else continues."""

DEVICE_ATTEMPTS = 2
"""One more attempt after a lack of memory on the device: another process may have held it."""


@dataclass(slots=True)
class Campaign:
    """A study on its way.

    Args:
        agenda: what may start now.
        ledger: where records go.
        executor: who carries jobs out.
        verbs: kind of job → address of the verb (`module:function`).
        place: job → where and how it runs, as plain JSON.
        stored: the ids of the runs whose weights are stored.
        forget: called with the id of a run whose weights no score needs any more.
        may_start: whether the stores of a job are fit for it; if not, nothing more is started, and `stopped` is set.
        known: records of other studies by id; one that a job asks for is copied instead of made again.
        machine: the processor and the versions that jobs are done with, for the notes.
        ended: called with the id of a run whose record exists, so that its checkpoint is not needed any more.

    Attributes:
        running: jobs at work, by id.
        failures: how often each job failed.
        left: why each job was given up, by id.
        alarms: one sentence for every record that came twice and differed.
        stopped: whether a store was found damaged: the stores must be made again, and the campaign begun anew.
        raised: one traceback for every place at which losses raised exceptions, by the frames that led there.
        set_aside: the searches whose first trials all raised one exception, by their groups.
        given_up: the searches of which jobs were given up, by their groups; the rest of their jobs continues.
        firsts: what waits for the decision on that.
    """

    agenda: Agenda
    ledger: Ledger
    executor: Executor
    verbs: Mapping[str, str]
    place: Callable[[Job], Body]
    stored: Callable[[], Collection[str]]
    forget: Callable[[str], None]
    may_start: Callable[[Job], bool]
    known: Mapping[str, Record]
    machine: str
    ended: Callable[[str], None] = lambda run_id: None
    running: dict[str, Job] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    given_up: dict[str, SetAside] = field(default_factory=dict)
    stopped: bool = False
    firsts: FirstTrials = field(init=False)

    def __post_init__(self) -> None:
        self.firsts = FirstTrials(self.agenda.undecided(first=FIRST))
        for group in self.given_up:
            self.agenda.set_aside(group)

    def steps(self, *, seconds: float) -> Iterator[tuple[Finished, ...]]:
        """Work until nothing more can be done; yield the jobs that came back, at least every `seconds`."""
        while self._submit() or self.running:
            finished = tuple(self.executor.wait(seconds=seconds))
            for job in finished:
                self._take(job)
            yield finished

    def _submit(self) -> bool:
        """Start what may start; whether anything is running."""
        while job := self._next():
            if job.kind == "opening":
                self.ledger.note("opened", {"id": job.id, "title": job.title})
                self._keep(job, read_record(job.payload), weights_stored=True)
            elif job.id in self.known and job.id not in self.ledger.records:
                self.ledger.note("reused", {"id": job.id, "title": job.title})
                self._decide(job, self.known[job.id])
                self._keep(job, self.known[job.id], weights_stored=False)
            elif self.executor.free > 0 and self._fit(job):
                place = {} if job.kind in ("proposal", "selection") else {"place": self.place(job)}
                job_here = Job(job.kind, job.id, job.group, job.title, job.payload | place)
                self.executor.submit(job_here, address=self.verbs[job.kind])
                self.running[job.id] = job
            else:
                break
        return bool(self.running)

    def _fit(self, job: Job) -> bool:
        self.stopped = not self.may_start(job)
        return not self.stopped

    def _next(self) -> Job | None:
        if self.stopped:
            return None
        return next((job for job in self.agenda.ready() if self._may_start(job)), None)

    def _may_start(self, job: Job) -> bool:
        if job.id in self.running or job.id in self.left or job.group in self.set_aside or self._hopeless(job.group):
            return False
        if job.kind == "opening" and job.payload.get("set_aside") and self.running:
            return False  # a loss that is set aside is waited for until all else is done
        return job.id in self.known or not self.firsts.waits(job)

    def _hopeless(self, group: str) -> bool:
        """Whether the first jobs of a search were given up, and none of its runs is recorded."""
        aside = self.given_up.get(group)
        return aside is not None and aside.jobs >= FIRST and not self.agenda.has_runs(group)

    def _take(self, finished: Finished) -> None:
        job = self.running.pop(finished.job.id)
        note = {"id": job.id, "title": job.title, "seconds": round(finished.seconds, 3), "machine": self.machine}
        record, reason = _record(job, finished)
        why = {"reason": reason} | ({"traceback": finished.traceback} if finished.traceback else {})
        if record is None:
            self._fail(job, {**note, **why})
            return
        raised = Raised(finished.failure or "", finished.traceback) if finished.traceback else None
        if job.group in self.set_aside:
            return
        if self.firsts.holds(job, record, note, raised):
            self.ledger.note("held", {**note, **why})
            self.agenda.accept(job, record, weights_stored=False)
            self._set_aside(job.group)
        else:
            self._decide(job, record)
            self._record(Held(job, record, note, raised))

    def _decide(self, job: Job, record: Record) -> None:
        """Write down what a search held back, now that a run of it ended in another way."""
        if isinstance(record, Run):
            for held in self.firsts.decided(job.group):
                self._record(held)

    def _record(self, held: Held) -> None:
        """Write down a record and the exception that it is the outcome of."""
        if held.raised:
            why = {"reason": held.raised.reason, "traceback": held.raised.traceback}
            self.ledger.note("diverged", {**held.note, **why})
            self.raised.setdefault(_frames(held.raised.traceback), held.raised.traceback)
        if self._keep(held.job, held.record, weights_stored=True):
            self.ledger.note("done", held.note)

    def _set_aside(self, group: str) -> None:
        """Give a search up, without a record, if all of its first trials raised one exception."""
        held = self.firsts.failed(group)
        raised = next((one.raised for one in held if one.raised), None)
        if raised is None:
            return
        self.set_aside[group] = SetAside(group, raised)
        why = {"reason": raised.reason, "traceback": raised.traceback}
        self.ledger.note("set-aside", {"id": self.agenda.search_id(group), "title": group, **why})
        self.agenda.withdraw(group, [one.record.id for one in held])

    def _fail(self, job: Job, note: Body) -> None:
        """Count a failed attempt; the last one leaves the job."""
        self.failures[job.id] += 1
        self.ledger.note("failed", {**note, "attempt": self.failures[job.id]})
        if self.failures[job.id] >= (DEVICE_ATTEMPTS if is_device_memory(note["reason"]) else ATTEMPTS):
            self.left[job.id] = f"{job.title} ({job.kind} {job.id[:16]}): {note['reason']}"
            for held in self.firsts.decided(job.group):  # this trial has another end
                self._record(held)
            self._give_up(job, note)
        if job.kind == "score":
            self.agenda.recount(self.stored())

    def _give_up(self, job: Job, note: Body) -> None:
        """Count a job that was given up; its loss is FAILED, and the test half opens for the others."""
        if job.kind not in ("run", "proposal") or not self.agenda.set_aside(job.group):
            return
        title = job.title.removeprefix(f"{job.group}: ")
        raised = Raised(f"{title}: {note['reason']}", note.get("traceback", ""))
        earlier = self.given_up.get(job.group, SetAside(job.group, raised))
        self.given_up[job.group] = replace(earlier, jobs=earlier.jobs + 1)
        search = self.agenda.search_id(job.group)
        kept: Body = {key: note[key] for key in ("id", "reason", "traceback") if key in note}
        self.ledger.note("given-up", {**kept, "title": title, "search": search})

    def _keep(self, job: Job, record: Record, *, weights_stored: bool) -> bool:
        """Append a record and tell the agenda; whether the record was new."""
        try:
            new = self.ledger.append(record, machine=self.machine)
        except LedgerError as error:
            # The model that came with these other numbers contradicts its record: it must not be scored.
            self.alarms.append(str(error))
            self.ended(job.id)
            self.left[job.id] = f"{job.title} ({job.kind} {job.id[:16]}): made again, it came out different"
            self.forget(job.id)
            return False
        self.ended(job.id)
        for run_id in self.agenda.accept(job, self.ledger.records[record.id], weights_stored=weights_stored):
            self.forget(run_id)
        return new


def _record(job: Job, finished: Finished) -> tuple[Record | None, str | None]:
    """The record that a job yielded, or None and the reason; a body that is no record of this job is a failure."""
    if finished.body is None:
        return None, finished.failure
    try:
        canonical_json(finished.body).encode()  # refuses NaN, and text that is no UTF-8
        record = read_record(finished.body)
    except (LedgerError, ValueError, TypeError) as error:
        return None, f"the answer is no record: {error}"
    if (record.kind, record.id) != (job.kind, job.id):
        return None, f"the answer is another record: {record.kind} {record.id[:16]}"
    return record, finished.failure


def is_device_memory(reason: str) -> bool:
    """Whether a job failed for lack of memory on its device; torch's message says how much it asked for."""
    return re.match(r"(torch\.)?(cuda\.|mps\.)?OutOfMemoryError\b", reason) is not None


def _frames(traceback: str) -> str:
    """A traceback without its last line, the message, which differs from one iteration to the next."""
    return traceback.rstrip().rpartition("\n")[0]
