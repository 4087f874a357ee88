"""The menu of executors: where the jobs of a study can be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from realitycheck.executors.base import Executor
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.on_ray import RayTransport
from realitycheck.executors.relay import to_standard_error
from realitycheck.executors.remote import RemoteExecutor


@dataclass(frozen=True, slots=True)
class Resources:
    """What an executor may use; each takes what it knows.

    Args:
        devices: one entry for each job at a time: its device, or None for that of its payload.
        deadline: seconds without a report of progress after which a job counts as hanging.
        memory: bytes that a job may hold; None for no limit; on another machine, for an equal share of its memory.
        preload: modules that are loaded before the first job, so that no job has to wait for them.
        pins: environment variables of every process that does a job, set before it loads any library.
        gpus: how much of a GPU each job needs, where an executor chooses the GPUs.
        address: of a cluster, or None.
        code: file → content of the modules that a study brings along.
    """

    devices: Sequence[str | None]
    deadline: float
    memory: int | None
    preload: Sequence[str]
    pins: Mapping[str, str]
    gpus: float = 0.0
    address: str | None = None
    code: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecutorEntry:
    """What is known of one executor.

    Args:
        title: where it runs jobs, in a few words.
        build: makes one.
        here: whether jobs run in the process that submits them, which cannot be pinned once it runs.
        elsewhere: whether jobs run on machines that may differ from this one and that share no disk with it.
    """

    title: str
    build: Callable[[Resources], Executor]
    here: bool
    elsewhere: bool = False


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


def _ray(resources: Resources) -> Executor:
    settings = {
        "deadline": resources.deadline,
        "memory": resources.memory,
        "preload": tuple(resources.preload),
        "pins": dict(resources.pins),
        "code": dict(resources.code),
        "root": None,
    }
    slots, gpus = len(resources.devices), resources.gpus
    transport = RayTransport(address=resources.address, slots=slots, gpus=gpus, settings=settings)
    return RemoteExecutor(transport, devices=resources.devices, show=to_standard_error)


MENU: dict[str, ExecutorEntry] = {
    "local": ExecutorEntry("child processes of this machine", _local, here=False),
    "inline": ExecutorEntry("this process, one job at a time: a debugger works in your loss", _inline, here=True),
    "ray": ExecutorEntry("nodes of a Ray cluster, without a shared disk", _ray, here=False, elsewhere=True),
}
"""Name → entry."""
