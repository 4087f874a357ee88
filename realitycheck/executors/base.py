"""Work on its way: a job, what came back of it, and who carries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.errors import StorageError
from realitycheck.runs import Body

Tell = Callable[[int, int], None]
"""`tell(done, total)` reports that a job advances: iterations that are done, of how many. A verb gets one.

Silence is a hang, see `LocalExecutor`. Call it where the work advances, as often as convenient: at every iteration.
"""


def unheard(done: int, total: int) -> None:
    """A `Tell` that nobody hears."""


@dataclass(slots=True)
class Steps:
    """The progress of a job of a few long steps: `report` repeats it within a step, and is no step.

    Args:
        tell: hears of it.
        total: how many steps there are.
        done: how many are done.
    """

    tell: Tell
    total: int
    done: int = 0

    def report(self) -> None:
        """Report that the job advances within a step."""
        self.tell(self.done, self.total)

    def step(self) -> None:
        """Report that a step is done."""
        self.done += 1
        self.report()


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that may start now.

    Args:
        kind: `proposal`, `selection`, `run`, `score`, `neighbors` or `opening`: the kind of the record that it yields.
        id: the id of that record.
        group: whose turn it is: `dataset/loss label`, or `dataset` for an opening.
        title: what a person reads in the progress display.
        payload: plain JSON for the verb that does the work.
        alone: whether it has lacked memory on its device, where other jobs may have been. An executor that shares a
            device among jobs gives it one to itself.
    """

    kind: str
    id: str
    group: str
    title: str
    payload: Body
    alone: bool = False


@dataclass(frozen=True, slots=True)
class VerbAnswer:
    """What a verb may return in place of a plain body.

    Args:
        body: the body of a record.
        raised: the exception that this record is the outcome of: one that a loss raised, and that made its run diverge.
        steps: how its steps were computed, for the log; None where nobody asked for another way than one by one.
        reusable: whether the process may do another job, because no code of a plug-in ran in it.
    """

    body: Body
    raised: BaseException | None
    steps: str | None = None
    reusable: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that came back.

    Args:
        job: what was submitted.
        body: what the verb returned, or None where the job failed.
        failure: the exception in a line: why there is no body, or why the run in the body diverged.
        seconds: from its start to its end.
        traceback: the whole traceback of that exception, or None where there is none, as of a killed process.
        machine: the processor and the versions that the job was done with, where that was another machine.
        steps: see `VerbAnswer`.
        storage: the sentence of a `StorageError` that ended the job, or None. Then it is no failure of the job: the
            disk is full or cannot be read, which no other attempt would change.
        advanced: whether the node of the job was lost after it had sent a checkpoint of it: the next attempt has less
            to do, and this one does not count.
    """

    job: Job
    body: Body | None
    failure: str | None
    seconds: float
    traceback: str | None = None
    machine: str | None = None
    steps: str | None = None
    storage: str | None = None
    advanced: bool = False


def require_storage(ended: Iterable[Finished]) -> None:
    """Pass on a storage failure that ended a job.

    Raises:
        StorageError: the first one, if there is any.
    """
    for sentence in (finished.storage for finished in ended if finished.storage):
        raise StorageError(sentence)


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a job is.

    Args:
        done: iterations that are done, or another unit of the job's work.
        total: of how many, as far as is known.
        seconds: since its start.
    """

    done: int
    total: int
    seconds: float


def on_device(payload: Body, device: str | None) -> Body:
    """A payload whose place, or which itself, names this device; as it is for None, and where it names none."""
    if device is None:
        return payload
    if "place" in payload:
        return payload | {"place": payload["place"] | {"device": device}}
    return payload | {"device": device} if "device" in payload else payload


class Executor(ABC):
    """Carries jobs out. It receives the address of a verb and plain JSON, never a closure.

    The verb is called as `verb(payload, tell=tell)`.

    `executors.call.call` does the work of one job wherever it runs. `testing.ExecutorContract` tests the rest.
    """

    here = True
    """Whether jobs run on this machine, with its memory and devices."""

    @property
    @abstractmethod
    def free(self) -> int:
        """How many more jobs it would start at once."""

    def warm_up(self) -> None:
        """Begin, without waiting, what takes long before the first job. Nothing where there is no such thing.

        What fails in it is said by the first `submit`.
        """
        return

    @abstractmethod
    def submit(self, job: Job, *, address: str) -> None:
        """Start `address` (`module:function`) on the job's payload."""

    @abstractmethod
    def wait(self, *, seconds: float) -> Sequence[Finished]:
        """The jobs that came back; returns when there is one, or after this number of seconds."""

    @property
    def advances(self) -> Mapping[str, Advance]:
        """How far the running jobs are, by id; of a job that reported nothing yet, nothing."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """End every job that is still running, and wait for its end."""
