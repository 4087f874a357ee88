"""The checkpoint of one run: when it is written, and whether one that is found may be used."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError

from realitycheck.atomic import move_aside, storage_errors
from realitycheck.errors import RunError
from realitycheck.runs import Body, RunSpec, TrainingPlace
from realitycheck.stores.cache import aside_path, checkpoint_path
from realitycheck.training.checkpoint_file import read_checkpoint, write_checkpoint
from realitycheck.training.device import machine
from realitycheck.training.machine_failures import is_machine_failure
from realitycheck.training.module_attributes import outside_seal
from realitycheck.training.value_trees import NotKept, Tree

LAYOUT = 1
"""Raised by every change of what a checkpoint holds; another one is not read."""

SHARE = 0.05
"""At most this share of the time of a run is spent on writing checkpoints."""

clock = time.monotonic


@dataclass(slots=True)
class RunCheckpoints:
    """The checkpoint of one run, in one file that each new one replaces.

    The first is written `seconds` after the start, and each other one `seconds` after the last. At an evaluation half
    of that is enough, because the evaluation is not repeated then. A slow disk makes them rarer, see `SHARE`.

    Args:
        spec: the run.
        path: the file.
        seconds: longest time between two checkpoints; None to write none.
        device: where the run trains.
    """

    spec: RunSpec
    path: Path
    seconds: float | None
    device: torch.device
    last: float = field(init=False)
    cost: float = 0.0
    outside: str = field(init=False)

    def __post_init__(self) -> None:
        self.last = clock()
        self.outside = "" if self.seconds is None else outside_seal(self.spec.sources)

    def offer(self, state: Callable[[], Tree], *, evaluated: bool) -> None:
        """Write a checkpoint if it is time for one.

        A run continues without, where a value cannot be kept, a plug-in has state outside of its objects, or the disk
        refuses: a checkpoint saves time, and changes no result.

        Args:
            state: returns what the checkpoint holds.
            evaluated: whether an evaluation has just ended.
        """
        if self.seconds is None or clock() - self.last < self._wait(self.seconds, evaluated=evaluated):
            return
        began = clock()
        try:
            if self.outside != outside_seal(self.spec.sources):
                raise NotKept("globals of a plug-in changed")
            with suppress(OSError, SafetensorError):  # safetensors wraps the errors of the operating system
                write_checkpoint(self.path, self._head(), state())
        except NotKept:
            self.seconds = None
        self.last = clock()
        self.cost = self.last - began

    def _wait(self, seconds: float, *, evaluated: bool) -> float:
        return max(seconds / 2 if evaluated else seconds, self.cost / SHARE)

    def find(self) -> Tree | None:
        """Return what the checkpoint of an earlier attempt holds, or None where there is none that may be used.

        One of another kind of machine, or of another run, is set aside with a warning. That is no failure: workers on
        several kinds of machines hand runs over.

        Raises:
            RunError: if it is damaged; it is set aside, so that the next attempt starts from zero.
            StorageError: if it cannot be read.
        """
        with storage_errors(self.path):
            if not self.path.exists():
                return None
        with self.using(), storage_errors(self.path):
            head, tree = read_checkpoint(self.path)
        for name, here in self._head().items():
            if head.get(name) != here:
                self._leave(f"its {name} is {str(head.get(name))[:60]}, and not {str(here)[:60]}")
                return None
        return tree

    def _leave(self, why: str) -> None:
        """Set a checkpoint of another kind aside, in place of an earlier one."""
        aside = aside_path(self.path)
        with storage_errors(self.path), suppress(FileNotFoundError):
            self.path.replace(aside)
        says = f"the checkpoint of run {self.spec.id[:12]} is not used: {why}"
        warnings.warn(f"{says}. It is kept as {aside}, and the run starts from zero.", RuntimeWarning, stacklevel=2)

    @contextmanager
    def using(self) -> Iterator[None]:
        """Set the checkpoint aside if it cannot be used.

        Raises:
            RunError: if so; the machine's own failures are not the checkpoint's.
        """
        try:
            yield
        except Exception as error:  # whatever the parts of a run raise where a state does not fit
            if is_machine_failure(error):
                raise
            aside = move_aside(self.path)
            kept = f"It is kept as {aside.name}, and the run" if aside else "The run"
            says = f"the checkpoint of run {self.spec.id[:12]} cannot be used: {error}. {kept} starts from zero."
            raise RunError(f"{self.path}: {says}") from error

    def _head(self) -> Body:
        return {
            "layout": LAYOUT,
            "run": self.spec.id,
            "results_version": self.spec.results_version,
            "arithmetic": self.spec.recipe["arithmetic"],
            "machine": machine(str(self.device)),
        }


def checkpoints_of(spec: RunSpec, place: TrainingPlace, device: torch.device) -> RunCheckpoints:
    """Return the checkpoints of a run at a place."""
    return RunCheckpoints(spec, checkpoint_path(Path(place.cache), spec.id), place.checkpoint_seconds, device)
