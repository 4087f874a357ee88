"""What several workers of one study share: leases on jobs, records as they appear, and answers that are held back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from realitycheck.errors import LedgerError
from realitycheck.executors.base import Job
from realitycheck.records.from_json import read_record
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Record
from realitycheck.runs import Body
from realitycheck.search.agenda import Agenda
from realitycheck.search.first_trials import Held, Raised

SHARE = 20
"""Reading what others have written takes at most one part in this of a worker's time."""


@dataclass(slots=True)
class Sharing:
    """One worker's view of the others.

    Args:
        ledger: the records, which all workers write.
        leases: who does which job.
        earlier: job id → why it was given up before this worker began, where it is not tried again.
        seconds: how often the shared folder is read, at most.
    """

    ledger: Ledger
    leases: Leases
    earlier: Mapping[str, str]
    seconds: float
    _next: float = field(default=0.0)
    _idle: set[str] = field(default_factory=set)

    @property
    def busy(self) -> bool:
        """Whether another worker is at a job, apart from those whose answers are held back."""
        return bool(self.leases.others.keys() - self._idle)

    def take(self, job: Job) -> bool:
        """Whether a job is ours to do; another worker may be at it."""
        return self.leases.take(job.id, title=job.title)

    def is_written(self, job: Job) -> bool:
        """Whether the record of a job is in the ledger's folder, whoever wrote it."""
        return self.ledger.path_of(job.kind, job.id).exists()

    def give_up(self, job: Job, reason: str) -> None:
        """Let the others know that a job failed on every attempt; they do not try it."""
        self.leases.keep(job.id, _left(reason))

    def hold(self, held: Held) -> None:
        """Show the others an answer that waits for the decision on its search."""
        raised = {"reason": held.raised.reason, "traceback": held.raised.traceback} if held.raised else None
        content = {"kind": "held", "record": held.record.to_json(), "note": dict(held.note), "raised": raised}
        self.leases.keep(held.job.id, content)

    def take_in(
        self,
        agenda: Agenda,
        *,
        accept: Callable[[Job, Record], None],
        hold: Callable[[Held], bool],
        leave: Callable[[Job, str], None],
        at_once: bool,
    ) -> None:
        """Read what the others have done since the last time, where that is long enough ago.

        Args:
            agenda: what may start now; it changes with each call of the others.
            accept: called with every record of a job of the agenda, in an order in which they can follow.
            hold: called with every answer that another worker holds back; returns whether it is held here as well.
            leave: called with every job that another worker gave up, and why.
            at_once: whether to read now, whenever the last time was.
        """
        start = time.monotonic()
        if start < self._next and not at_once:
            return
        self.leases.look()
        self._take_in_records(agenda, accept)
        self._take_in_kept(agenda, hold, leave)
        end = time.monotonic()
        self._next = end + max(self.seconds, SHARE * (end - start))

    def _take_in_records(self, agenda: Agenda, accept: Callable[[Job, Record], None]) -> None:
        records = {record.id: record for record in self.ledger.read_new()}
        while ready := {job.id: job for job in agenda.ready() if job.id in records} if records else {}:
            for job in ready.values():
                accept(job, records.pop(job.id))
        if others := {name: record for name, record in records.items() if name not in agenda.records}:
            agenda.records.update(others)  # of another plan, or another study in this folder
            agenda.recount(set(agenda.weights))

    def _take_in_kept(self, agenda: Agenda, hold: Callable[[Held], bool], leave: Callable[[Job, str], None]) -> None:
        kept = {job_id: _left(reason) for job_id, reason in self.earlier.items()} | dict(self.leases.kept())
        self._idle = set(kept)
        while ready := [job for job in agenda.ready() if job.id in kept] if kept else []:
            for job in sorted(ready, key=lambda job: job.kind != "run"):  # a proposal waits for the runs before it
                content = kept.pop(job.id, {})
                if content.get("kind") == "left":
                    leave(job, str(content.get("reason")))
                elif held := _held(job, content):
                    hold(held)


def _left(reason: str) -> Body:
    return {"kind": "left", "reason": reason}


def _held(job: Job, content: Body) -> Held | None:
    """What another worker holds back of a job; None where the file says something else."""
    with suppress(LedgerError, KeyError, TypeError):
        record = read_record(content["record"])
        raised = Raised(**content["raised"]) if content["raised"] else None
        if (record.kind, record.id) == (job.kind, job.id):
            return Held(job, record, content["note"], raised)
    return None
