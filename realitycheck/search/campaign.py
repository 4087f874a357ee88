"""The one loop: todo, submit, wait, append."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from realitycheck.errors import LedgerError
from realitycheck.executors.base import Executor, Finished, Job, require_storage
from realitycheck.records.from_json import read_record
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Record, Run
from realitycheck.runs import Body
from realitycheck.search.agenda import Agenda
from realitycheck.search.answers import frames_of, record_of
from realitycheck.search.attempts import Failures, given_up_line, is_last
from realitycheck.search.first_trials import FIRST, FirstTrials, Held, Raised, SetAside
from realitycheck.search.sharing import Sharing


@dataclass(slots=True)
class Campaign:
    """A study on its way.

    Args:
        agenda: what may start now.
        ledger: where records go.
        sharing: the other workers of the study.
        executor: who carries jobs out.
        verbs: kind of job → address of the verb (`module:function`).
        place: job → where and how it runs, as plain JSON.
        stored: the ids of the runs whose weights are stored.
        forget: called with the id of a run whose weights no score needs any more.
        may_start: whether the stores of a job are fit for it; if not, nothing more is started, and `stopped` is set.
        known: records of other studies by id; one that a job asks for is copied instead of made again.
        machine: the processor and the versions that jobs are done with, for the notes.
        ended: called with the id of a run whose record exists, so that its checkpoint is not needed any more.
        wanted: whether a job is part of what is asked for; others are left for a later campaign.

    Attributes:
        running: jobs at work, by id.
        failures: how often each job failed, and which ones for lack of memory on their device.
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
    sharing: Sharing
    executor: Executor
    verbs: Mapping[str, str]
    place: Callable[[Job], Body]
    stored: Callable[[], Collection[str]]
    forget: Callable[[str], None]
    may_start: Callable[[Job], bool]
    known: Mapping[str, Record]
    machine: str
    ended: Callable[[str], None] = lambda run_id: None
    wanted: Callable[[Job], bool] = lambda job: True
    running: dict[str, Job] = field(default_factory=dict)
    failures: Failures = field(default_factory=Failures)
    left: dict[str, str] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    given_up: dict[str, SetAside] = field(default_factory=dict)
    stopped: bool = False
    firsts: FirstTrials = field(init=False)

    def __post_init__(self) -> None:
        self.firsts = FirstTrials(self.agenda.undecided(first=FIRST))
        for group in (*self.set_aside, *self.given_up):
            self.agenda.set_aside(group)

    def steps(self, *, seconds: float) -> Iterator[tuple[Finished, ...]]:
        """Work until nothing more can be done; yield the jobs that came back, at least every `seconds`.

        A `StorageError` of a job ends it, as one of the ledger does, and is no attempt of the job.
        """
        self._take_in()
        while self._submit() or self.waiting:
            if not self.running:
                time.sleep(seconds)
            finished = tuple(self.executor.wait(seconds=seconds)) if self.running else ()
            for job in finished:
                self._take(job)
            require_storage(finished)  # when what came back with it is recorded
            yield finished
            self._take_in()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The titles of jobs of other workers that this one waits for, where it has nothing to do."""
        if self.running or self.stopped:
            return ()
        others = self.sharing.leases.others
        waits = (job.id for job in self.agenda.ready() if job.id in others and self._may_start(job))
        return tuple(others[job_id] for job_id in waits)

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
            elif self.executor.free <= 0 or not self._fit(job):
                break
            elif not self.sharing.take(job):
                continue
            elif self._is_done(job):
                self.sharing.leases.release(job.id)
            else:
                place = {} if job.kind in ("proposal", "selection") else {"place": self.place(job)}
                here = replace(job, payload=job.payload | place, alone=job.id in self.failures.crowded)
                self.executor.submit(here, address=self.verbs[job.kind])
                self.running[job.id] = job
        return bool(self.running)

    def _fit(self, job: Job) -> bool:
        self.stopped = not self.may_start(job)
        return not self.stopped

    def _next(self) -> Job | None:
        if self.stopped:
            return None
        others = self.sharing.leases.others
        return next((job for job in self.agenda.ready() if job.id not in others and self._may_start(job)), None)

    def _may_start(self, job: Job) -> bool:
        if job.id in self.running or job.id in self.left or job.group in self.set_aside or not self.wanted(job):
            return False
        if self._hopeless(job.group):
            return False
        if job.kind == "opening" and job.payload.get("set_aside") and (self.running or self.sharing.busy):
            return False  # a loss that is set aside is waited for until all else is done
        return job.id in self.known or not self.firsts.waits(job)

    def _hopeless(self, group: str) -> bool:
        """Whether the first jobs of a search were given up, and none of its runs is recorded."""
        aside = self.given_up.get(group)
        return aside is not None and aside.jobs >= FIRST and not self.agenda.has_runs(group)

    def _take_in(self, *, at_once: bool = False) -> None:
        """Read what other workers have done."""
        self.sharing.take_in(
            self.agenda, accept=self._accept, hold=self._hold_too, leave=self._leave_too, at_once=at_once
        )

    def _is_done(self, job: Job) -> bool:
        """Whether another worker has just finished a job; then all that is new is read, so that nothing seems lost.

        A run whose weights are lost has a record before; it is finished where no score needs it, or they are stored.
        """
        again = job.id in self.agenda.records
        if not again and not self.sharing.is_written(job):
            return False
        stored = job.id in self.stored()  # first: weights are removed when the records that they were for are written
        self._take_in(at_once=True)
        if again and any(ready.id == job.id for ready in self.agenda.ready()):
            if not stored:
                return False
            self._accept(job, self.agenda.records[job.id])
        return True

    def _accept(self, job: Job, record: Record) -> None:
        """Take in the record of another worker, whose weights are in the common cache."""
        self._decide(job, record)
        stored = bool(job.payload.get("keep")) and job.id in self.stored()
        for run_id in self.agenda.accept(job, record, weights_stored=stored):
            self.forget(run_id)

    def _hold_too(self, held: Held) -> bool:
        """Hold back what another worker holds back; whether it is."""
        job = held.job
        if job.group in self.set_aside or job.id in self.running:
            return False
        if not self.firsts.holds(job, held.record, held.note, held.raised):
            self._decide(job, held.record)
            return False
        self.agenda.accept(job, held.record, weights_stored=False)
        self._set_aside(job.group)
        return True

    def _leave_too(self, job: Job, reason: str) -> None:
        """Leave a job that another worker gave up; the first time that it is seen, it counts."""
        if job.id in self.left:
            return
        self.left[job.id] = reason
        for held in self.firsts.decided(job.group):
            self._record(held)
        self._count_given_up(job, Raised(reason, ""))

    def _take(self, finished: Finished) -> None:
        job = self.running.pop(finished.job.id)
        note = {"id": job.id, "title": job.title, "seconds": round(finished.seconds, 3)}
        note["machine"] = finished.machine or self.machine
        if finished.steps:
            note["steps"] = finished.steps
        record, reason = record_of(job, finished)
        why = {"reason": reason} | ({"traceback": finished.traceback} if finished.traceback else {})
        if record is None:
            if self._is_done(job):  # two workers on one lease; the other was faster
                self.sharing.leases.release(job.id)
            elif not finished.storage:
                self._fail(job, {**note, **why}, counts=not finished.advanced)
            return
        raised = Raised(finished.failure or "", finished.traceback) if finished.traceback else None
        if job.group in self.set_aside:
            self.sharing.leases.release(job.id)  # else two workers could wait for each other
            return
        if self.firsts.holds(job, record, note, raised):
            self.ledger.note("held", {**note, **why})
            self.sharing.hold(Held(job, record, note, raised))
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
            self.raised.setdefault(frames_of(held.raised.traceback), held.raised.traceback)
        if self._keep(held.job, held.record, weights_stored=True, machine=held.note.get("machine")):
            self.ledger.note("done", held.note)

    def _set_aside(self, group: str) -> None:
        """Give a search up if all of its first trials raised one exception; the others are scored."""
        held = self.firsts.failed(group)
        raised = next((one.raised for one in held if one.raised), None)
        if raised is None:
            return
        self.set_aside[group] = SetAside(group, raised)
        why = {"reason": raised.reason, "traceback": raised.traceback}
        self.ledger.note("set-aside", {"id": self.agenda.search_id(group), "title": group, **why})
        self.agenda.withdraw(group, [one.record.id for one in held])

    def _fail(self, job: Job, note: Body, *, counts: bool) -> None:
        """Count a failed attempt; the last one leaves the job."""
        attempt = self.failures.add(job.id, reason=note["reason"], counts=counts)
        self.ledger.note("failed", {**note, "attempt": attempt})
        if is_last(attempt, reason=note["reason"]):
            self.left[job.id] = given_up_line(job, note["reason"])
            self.sharing.give_up(job, self.left[job.id])
            for held in self.firsts.decided(job.group):  # this trial has another end
                self._record(held)
            self._give_up(job, note)
        if job.kind in ("score", "neighbors"):
            self.agenda.recount(self.stored())

    def _give_up(self, job: Job, note: Body) -> None:
        """Note a job that was given up; its loss is FAILED, and the test half opens for the others."""
        title = job.title.removeprefix(f"{job.group}: ")
        if self._count_given_up(job, Raised(f"{title}: {note['reason']}", note.get("traceback", ""))):
            search = self.agenda.search_id(job.group)
            kept: Body = {key: note[key] for key in ("id", "reason", "traceback") if key in note}
            self.ledger.note("given-up", {**kept, "title": title, "search": search})

    def _count_given_up(self, job: Job, raised: Raised) -> bool:
        if job.kind not in ("run", "proposal", "selection") or not self.agenda.set_aside(job.group):
            return False
        earlier = self.given_up.get(job.group, SetAside(job.group, raised))
        self.given_up[job.group] = replace(earlier, jobs=earlier.jobs + 1)
        return True

    def _keep(self, job: Job, record: Record, *, weights_stored: bool, machine: str | None = None) -> bool:
        """Append a record and tell the agenda; whether the record was new."""
        try:
            new = self.ledger.append(record, machine=machine or self.machine)
        except LedgerError as error:
            # The model that came with these other numbers contradicts its record: it must not be scored.
            self.alarms.append(str(error))
            self.ended(job.id)
            self.left[job.id] = given_up_line(job, "made again, it came out different")
            self.forget(job.id)
            self.sharing.give_up(job, self.left[job.id])
            return False
        self.ended(job.id)
        for run_id in self.agenda.accept(job, self.ledger.records[record.id], weights_stored=weights_stored):
            self.forget(run_id)
        self.sharing.leases.release(job.id)
        return new
