"""Work on its way: a job, what came back of it, and who carries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.runs import Body


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that may start now.

    Args:
        kind: `proposal`, `run`, `score` or `opening`: the kind of the record that it yields.
        id: the id of that record.
        group: whose turn it is: `dataset/loss label`, or `dataset` for an opening.
        title: what a person reads in the progress display.
        payload: plain JSON for the verb that does the work.
    """

    kind: str
    id: str
    group: str
    title: str
    payload: Body


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that came back: with a record's body, or with the reason why there is none."""

    job: Job
    body: Body | None
    failure: str | None
    seconds: float


class Executor(ABC):
    """Carries jobs out somewhere else. It receives a verb's address and plain JSON, never a closure."""

    @property
    @abstractmethod
    def free(self) -> int:
        """How many more jobs it would start at once."""

    @abstractmethod
    def submit(self, job: Job, *, address: str) -> None:
        """Start `address` (`module:function`) on the job's payload."""

    @abstractmethod
    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back; returns when there is one, or after so many seconds."""

    @abstractmethod
    def close(self) -> None:
        """End every job that is still running, and wait for its end."""
