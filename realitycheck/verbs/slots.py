"""Which devices jobs get: one slot for each job at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from realitycheck.errors import InputError, Problem

CPU_WORKERS = 2
"""Jobs at a time on a CPU where none is stated; on GPUs it is one each."""

KNOWN = re.compile(r"auto|cpu|cuda(:(0|[1-9][0-9]{0,2}))?")  # as torch writes a number: ASCII digits, no leading zero


def slots_of(device: str, *, workers: int | None, per_device: int | None, computes: str) -> tuple[str, ...]:
    """The device of each job at a time, the devices in turn: `("cuda:0", "cuda:1", "cuda:0", "cuda:1")`.

    Args:
        device: as in `run_study`.
        workers: jobs at a time, or None.
        per_device: jobs at a time on each device, or None.
        computes: the kind of device that the study's arithmetic needs.

    Raises:
        InputError: a device is unknown or named twice, or the numbers do not fit.
    """
    names = device.split(",")
    if problems := [*_device_problems(names), *_number_problems(names, workers, per_device)]:
        raise InputError("the command line", problems)
    on_cpu = names == ["cpu"] or (names == ["auto"] and computes == "cpu")
    jobs = per_device or (CPU_WORKERS if on_cpu else 1)
    return tuple(islice(cycle(names), workers or jobs * len(names)))


def missing_devices(slots: tuple[str, ...], *, count: Callable[[], int]) -> Iterator[Problem]:
    """Find the GPUs that this machine does not have; `count` says how many it has."""
    for name in dict.fromkeys(slots):
        if name.startswith("cuda") and (number := int(name.partition(":")[2] or 0)) >= (known := count()):
            has = f"this machine has {known}, numbered from 0" if known else "this machine has none"
            says = f"missing device `cuda:{number}`: {has}. Name devices that it has, or choose auto."
            yield Problem(0, "--device", says, "device-missing")


def _device_problems(names: list[str]) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name == "mps":
            says = "`mps` is not allowed here: losses and scores are summed in float64, which it lacks. Use cpu."
            yield Problem(0, "--device", says, "device-unknown")
        elif not KNOWN.fullmatch(name):
            says = f"unknown device '{name}'. Choose auto, cpu, cuda or cuda:<number>, or several as cuda:0,cuda:1."
            yield Problem(0, "--device", says, "device-unknown")
        elif names.count(name) > 1 or (len(names) > 1 and not re.fullmatch(r"cuda:\d+", name)):
            says = f"`{name}` is not allowed here: several devices are GPUs with a number, each named once."
            yield Problem(0, "--device", says, "device-list-invalid")


def _number_problems(names: list[str], workers: int | None, per_device: int | None) -> Iterator[Problem]:
    if workers is not None and per_device is not None:
        says = "`--workers` is not allowed here: `--per-device` states the number of jobs. Remove one of them."
        yield Problem(0, "--workers", says, "slots-stated-twice")
    if workers is not None and workers < len(names):
        says = f"{workers} is out of range: it must be at least {len(names)}, one job for each device."
        yield Problem(0, "--workers", says, "workers-few")
