"""How often a job may fail, and the failures that earlier workers of a study noted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from realitycheck.executors.base import Job
from realitycheck.runs import Body

ATTEMPTS = 3
"""A job with this many failures is given up; everything else continues."""

DEVICE_ATTEMPTS = 2
"""One more attempt after a lack of memory on the device, alone there: other jobs may have held it."""

DEVICE_MEMORY = re.compile(
    r"(torch\.)?(cuda\.)?OutOfMemoryError\b"
    r"|(torch\.)?(AcceleratorError|RuntimeError): .*?("
    r"(CUDA|HIP)( driver)? error: out of memory|cudaErrorMemoryAllocation"
    r"|(CUBLAS|CUDNN|CUSOLVER|CUSPARSE)_STATUS_(ALLOC|INTERNAL_ERROR_DEVICE_ALLOCATION)_FAILED|CUFFT_ALLOC_FAILED)",
    re.DOTALL,
)
"""How such a failure begins: torch's allocator has an exception of its own; CUDA and its libraries raise others."""

ENDS = ("done", "held", "reused")
"""Kinds of notes after which earlier failures of a job do not count."""


@dataclass(slots=True)
class Failures:
    """Failed attempts of jobs.

    Args:
        counts: job id → number of failures.
        crowded: ids of the jobs that lacked memory on their device; they get one to themselves.
    """

    counts: Counter[str] = field(default_factory=Counter)
    crowded: set[str] = field(default_factory=set)

    def add(self, job_id: str, *, reason: str, counts: bool) -> int:
        """Take in a failure, which may not count; return how many there are of this job."""
        self.counts[job_id] += counts
        if is_device_memory(reason):
            self.crowded.add(job_id)
        return self.counts[job_id]


@dataclass(frozen=True, slots=True)
class EarlierFailures:
    """What the notes of a study say of jobs that failed and were not done after that.

    Args:
        failures: their failures.
        given_up: job id → its title and the last reason, where there were as many as are allowed.
    """

    failures: Failures = field(default_factory=Failures)
    given_up: Mapping[str, str] = field(default_factory=dict)


def earlier_failures(notes: Iterable[Body]) -> EarlierFailures:
    """Read the failures out of a study's notes, which are in order of time."""
    last: dict[str, Body] = {}
    for note in notes:
        if note["kind"] == "failed":
            last[note["id"]] = note
        elif note["kind"] in ENDS:
            last.pop(note.get("id", ""), None)
    left = [note for note in last.values() if is_last(note["attempt"], reason=note["reason"])]
    return EarlierFailures(
        Failures(
            Counter({job_id: note["attempt"] for job_id, note in last.items()}),
            {job_id for job_id, note in last.items() if is_device_memory(note["reason"])},
        ),
        {note["id"]: f"{note['title']} ({note['id'][:16]}): {note['reason']}" for note in left},
    )


def is_last(count: int, *, reason: str) -> bool:
    """Whether a job is given up with this many failures, the last of them for this reason."""
    return count >= (DEVICE_ATTEMPTS if is_device_memory(reason) else ATTEMPTS)


def is_device_memory(reason: str) -> bool:
    """Whether a job failed for lack of memory on its device; torch's allocator says how much it asked for."""
    return DEVICE_MEMORY.match(reason) is not None


def given_up_line(job: Job, reason: str) -> str:
    """What people read of a job that was given up."""
    return f"{job.title} ({job.kind} {job.id[:16]}): {reason}"
