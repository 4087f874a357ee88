"""The menu of executors: where the jobs of a study can be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.executors.base import Executor
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor


@dataclass(frozen=True, slots=True)
class Resources:
    """What an executor may use; each takes what it knows.

    Args:
        devices: one entry for each job at a time: its device, or None for that of its payload.
        deadline: seconds without a report of progress after which a job counts as hanging.
        memory: bytes that a job may hold, or None.
        preload: modules that are loaded before the first job, so that no job has to wait for them.
        pins: environment variables of every process that does a job, set before it loads any library.
    """

    devices: Sequence[str | None]
    deadline: float
    memory: int | None
    preload: Sequence[str]
    pins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExecutorEntry:
    """What is known of one executor.

    Args:
        title: where it runs jobs, in a few words.
        build: makes one.
        here: whether jobs run in the process that submits them, which cannot be pinned once it runs.
    """

    title: str
    build: Callable[[Resources], Executor]
    here: bool


def _local(resources: Resources) -> Executor:
    return LocalExecutor(
        devices=resources.devices,
        deadline=resources.deadline,
        memory=resources.memory,
        preload=resources.preload,
        pins=resources.pins,
    )


def _inline(resources: Resources) -> Executor:
    return InlineExecutor(device=resources.devices[0])


MENU: dict[str, ExecutorEntry] = {
    "local": ExecutorEntry("child processes of this machine", _local, here=False),
    "inline": ExecutorEntry("this process, one job at a time: a debugger works in your loss", _inline, here=True),
}
"""Name → entry."""
