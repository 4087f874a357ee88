"""The first trials of a search, held back while all of them raise one exception: then the loss is wrong, not a setting.

A run that a loss's exception ended is a result, DIVERGED for ever. Where the first three trials of a search end so in
every fold, with one type at one line, nothing is recorded and the search is set aside. So their records wait until one
outcome differs. The decision is a function of these outcomes, whatever their order: later trials wait for it too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from realitycheck.executors.base import Job
from realitycheck.records.schema import Proposal, Record, Run
from realitycheck.runs import Body, Stage

FIRST = 3
"""Trials of a search that decide; all of them where the protocol has fewer."""

_FRAME = re.compile(r'^ +File "(.+)", line (\d+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of a loss: in a line, and its traceback."""

    reason: str
    traceback: str

    @property
    def place(self) -> tuple[object, ...]:
        """The exception's type, and the file and line that raised it."""
        kind = re.match(r"[\w.]*", self.reason)
        return (kind and kind[0], *_FRAME.findall(self.traceback)[-1:])


@dataclass(frozen=True, slots=True)
class SetAside:
    """A search that is FAILED: its first trials all raised one exception, or jobs of it were given up.

    Args:
        group: the loss's name in messages: `dataset/label`, with the number of the search where there are several.
        raised: the exception, or why the first of those jobs was given up.
        jobs: how many were given up; 0 where the first trials raised the exception.
    """

    group: str
    raised: Raised
    jobs: int = 0

    def __str__(self) -> str:
        reason = self.raised.reason.partition("\n")[0]
        if not self.jobs:
            return f"{self.group}: FAILED, its first trials all raised {reason}"
        return f"{self.group}: FAILED, {self.jobs} job{'s' * (self.jobs > 1)} given up; {reason}"


@dataclass(frozen=True, slots=True)
class Held:
    """A record that waits: of what job, what is noted of it, and the exception, or None for a proposal."""

    job: Job
    record: Record
    note: Body
    raised: Raised | None


@dataclass(slots=True)
class FirstTrials:
    """The searches that are not decided yet, and what they hold back.

    Args:
        undecided: group → number of fold runs of its first trials.
    """

    undecided: dict[str, int]
    _held: dict[str, list[Held]] = field(default_factory=dict)

    def waits(self, job: Job) -> bool:
        """Whether a job has to wait for the decision: a later trial."""
        spec = job.payload.get("spec", {})
        return job.kind == "run" and job.group in self.undecided and spec["index"] >= FIRST

    def holds(self, job: Job, record: Record, note: Body, raised: Raised | None) -> bool:
        """Whether a record is held back; otherwise its search is decided, or nothing of it is held yet."""
        held = self._held.get(job.group, [])
        if job.group not in self.undecided:
            return False
        if isinstance(record, Proposal):
            alike = bool(held)
        else:
            search = isinstance(record, Run) and record.spec.stage is Stage.SEARCH
            known = next((one.raised.place for one in held if one.raised), None)
            alike = search and raised is not None and known in (None, raised.place)
        if alike:
            self._held.setdefault(job.group, []).append(Held(job, record, note, raised))
        return alike

    def decided(self, group: str) -> list[Held]:
        """End a search's wait, and return what it held back, in order."""
        self.undecided.pop(group, None)
        return self._held.pop(group, [])

    def failed(self, group: str) -> list[Held]:
        """Return what a search held back if all of its first trials did; it is then no longer held."""
        held = self._held.get(group, [])
        runs = sum(one.raised is not None for one in held)
        return self.decided(group) if 0 < self.undecided.get(group, 0) == runs else []
