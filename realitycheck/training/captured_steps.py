"""Steps of a run that are recorded once and then replayed, such as a CUDA graph; what cannot be recorded is computed.

A replay repeats operations on the same memory. It calls no Python: a counter of a loss would keep its value. So a run
is captured only where nothing outside of tensors changes from step to step, where its tensors keep their places, and
where one replay has the bits of one step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from realitycheck.training.feed import Feed
from realitycheck.training.generators import generator_states
from realitycheck.training.loop import Sums, Trainer
from realitycheck.training.module_attributes import attributes_tree, outside_seal
from realitycheck.training.value_trees import Encoder, NotKept, seal

WARM_STEPS = 3
"""Steps of the run before a recording: the first makes the optimisers' state, and libraries choose their kernels."""

Replay = Callable[[], None]


class Capture(Protocol):
    """How a device records the operations of a step."""

    def prepare(self, optimizers: Collection[torch.optim.Optimizer]) -> None:
        """Make optimisers ready to be recorded, with the same results."""

    def warm(self, step: Replay) -> None:
        """Compute a step as one must be computed before a recording."""

    def refusing_waits(self) -> AbstractContextManager[None]:
        """Make an operation raise for which the host waits for the device."""

    def record(self, step: Replay) -> Replay:
        """Record a step without computing it, and return what computes it again on the same memory."""


class NotReplayed(Exception):
    """Why a run is not captured."""


@dataclass(slots=True)
class _Held(Feed):
    """A feed whose batches are in memory that does not move, by view."""

    held: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def batch(self, iteration: int, *, view: str) -> tuple[Tensor, Tensor]:
        """Return the memory of a view, whatever the iteration."""
        return self.held[view]

    def fill(self, feed: Feed, iteration: int) -> None:
        """Copy the batch of an iteration into this memory."""
        for view, (images, labels) in self.held.items():
            drawn, own = feed.batch(iteration, view=view)
            images.copy_(drawn)
            labels.copy_(own)


@dataclass(slots=True)
class CapturedSteps:
    """The steps of one run, replayed where possible.

    Args:
        capture: how the device records.
        sources: addresses of plug-ins, whose globals must not change either.
        reason: why the run is not captured, once that is known; it is not tried again.
    """

    capture: Capture
    sources: Collection[str]
    reason: str | None = None
    replays: int = 0
    _warmed: int = 0
    _before: Any = None
    _sums: Sums | None = None
    _places: Any = None
    _held: _Held | None = None
    _replay: Replay | None = None
    _values: Tensor | None = None

    @property
    def outcome(self) -> str:
        """How the steps were computed, for the log of the study."""
        if self.reason is not None:
            return f"{'CUDA graph, then ' if self.replays else ''}eager: {self.reason}"
        return "CUDA graph" if self.replays else "eager: it ended before a step could be recorded"

    def step(self, trainer: Trainer, sums: Sums, vectors: Tensor | None) -> None:
        """Do one iteration of the run."""
        if self.reason is None and sums is not self._sums:
            self._begin_interval(trainer, sums)
        if self.reason is not None:
            trainer.take_step(sums.values, vectors)
        elif self._warmed < WARM_STEPS:
            self._warm(trainer, sums, vectors)
        elif self._replay is None:
            self._record(trainer, sums, vectors)
        else:
            assert self._held is not None
            self._held.fill(trainer.feed, trainer.iteration)
            self._replay()
            self.replays += 1

    def _begin_interval(self, trainer: Trainer, sums: Sums) -> None:
        """Let sums be added up where the recording adds them; forget a recording whose tensors were replaced."""
        if self._sums is None or self._places != _places(trainer):
            self.capture.prepare(trainer.optimizers.values())
            self._warmed, self._replay, self._held, self._before = 0, None, None, None
            self._values = torch.zeros_like(sums.values)
        assert self._values is not None
        self._values.copy_(sums.values)
        sums.values, self._sums = self._values, sums

    def _warm(self, trainer: Trainer, sums: Sums, vectors: Tensor | None) -> None:
        """Compute a step, and compare what a replay would leave as it is before and after it."""
        self.capture.warm(lambda: trainer.take_step(sums.values, vectors))
        self._warmed += 1
        try:
            now = self._outside_of_tensors(trainer)
            if self._before is not None:
                _require_equal(self._before, now)
            _require_gradient(trainer)
        except (NotReplayed, NotKept) as error:
            self.reason = str(error)
        else:
            self._before, self._places = now, now["its tensors"]

    def _outside_of_tensors(self, trainer: Trainer) -> dict[str, Any]:
        states = generator_states(trainer.device)
        return {
            "values of its modules": seal(attributes_tree(trainer.modules)),
            "globals of a plug-in": outside_seal(self.sources),
            "a global generator": seal(Encoder(names={}, storages=None).tree(states, "generators")),
            "its tensors": _places(trainer),
        }

    def _record(self, trainer: Trainer, sums: Sums, vectors: Tensor | None) -> None:
        """Compute this iteration, then record it and replay it from the same state: it must end in the same bits.

        The step comes first, so that its activations and those of the recording are not held at the same time. It also
        finds operations for which the host waits: these would end a recording, and torch then keeps its memory.
        """
        tensors, held = [*_tensors(trainer).values(), sums.values], _held_of(trainer)
        before = [tensor.clone() for tensor in tensors]
        trainer.feed.close()  # memory that another thread pins would end the recording
        try:
            with self.capture.refusing_waits(), _fed_by(trainer, held):
                self.capture.warm(lambda: trainer.take_step(sums.values, vectors))
        except Exception as error:  # an operation that waits; what else fails here, fails again below
            self.reason = _first_line(_origin(error))
            _put_back(tensors, before)
            trainer.take_step(sums.values, vectors)
        else:
            self._compare(trainer, held, tensors, before, lambda: trainer.take_step(sums.values, vectors))
        self._places = _places(trainer)

    def _compare(
        self, trainer: Trainer, held: _Held, tensors: list[Tensor], before: list[Tensor], step: Replay
    ) -> None:
        """Record a step and replay it from the state before; keep the replay if it ends in the bits that are there."""
        after = [tensor.clone() for tensor in tensors]
        try:
            _put_back(tensors, before)
            with _fed_by(trainer, held):
                replay = self.capture.record(step)
            replay()
            if all(torch.equal(_bytes(one), _bytes(two)) for one, two in zip(tensors, after, strict=True)):
                self._held, self._replay = held, replay
            else:
                self.reason = "a replay has other bits than the step"
        except Exception as error:  # whatever a device raises at an operation that cannot be recorded
            self.reason = _first_line(_origin(error))
        if self.reason is not None:
            _put_back(tensors, after)


def _put_back(tensors: list[Tensor], values: list[Tensor]) -> None:
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value)


def _origin(error: BaseException) -> BaseException:
    """Return the exception that came first: the end of a recording raises another one, with no word of the cause."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return error if earlier is None else _origin(earlier)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}"


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Return every tensor that a step can change, by name: parameters, buffers, and the state of optimisers."""
    tensors = {}
    for name, module in trainer.modules.items():
        for key, tensor in (*module.named_parameters(), *module.named_buffers()):
            tensors[f"{name}.{key}"] = tensor.detach()
    for name, optimizer in trainer.optimizers.items():
        for number, state in enumerate(optimizer.state.values()):
            kept = {key: value for key, value in state.items() if isinstance(value, Tensor)}
            tensors |= {f"{name} {number} {key}": value for key, value in kept.items()}
    return tensors


def _places(trainer: Trainer) -> list[Any]:
    """Return where these tensors are, and the numbers that a recording holds: rates and other options."""
    tensors = [(name, tensor.data_ptr(), tuple(tensor.shape)) for name, tensor in _tensors(trainer).items()]
    groups = [group for optimizer in trainer.optimizers.values() for group in optimizer.param_groups]
    options = [{key: value for key, value in group.items() if key != "params"} for group in groups]
    return [tensors, repr(options), [id(module) for module in trainer.modules.values()]]


def _require_equal(before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = [name for name, value in now.items() if value != before[name]]
    if changed:
        raise NotReplayed(f"{', '.join(changed)} changed in a step")


def _require_gradient(trainer: Trainer) -> None:
    """Refuse a step without gradient: another one may have one, and a replay would leave it out."""
    groups = [group for optimizer in trainer.optimizers.values() for group in optimizer.param_groups]
    if all(parameter.grad is None for group in groups for parameter in group["params"]):
        raise NotReplayed("a step had no gradient")


def _held_of(trainer: Trainer) -> _Held:
    own = trainer.feed
    views = ("batch",) if trainer.teacher is None else ("batch", "keys")
    held = _Held(own.recipe, own.store, own.batches, own.augment_seed, own.device)
    for view in views:
        images, labels = own.batch(trainer.iteration, view=view)
        held.held[view] = images.clone(), labels.clone()  # of the same memory format
    return held


@contextmanager
def _fed_by(trainer: Trainer, feed: Feed) -> Iterator[None]:
    own, trainer.feed = trainer.feed, feed
    try:
        yield
    finally:
        trainer.feed = own
