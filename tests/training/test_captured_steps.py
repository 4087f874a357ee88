"""Steps that are replayed are the steps of an eager run bit for bit, and what cannot be replayed is not."""

from __future__ import annotations

import random
import threading
import time

import pytest
import torch
from loss_trainers import NAMES, recipe_with, trainer_of
from recorded_graph import RecordedGraphs
from torch import nn

from realitycheck.protocol.recipe import Optimizers
from realitycheck.training.captured_steps import WARM_STEPS, CapturedSteps, _tensors
from realitycheck.training.checkpoint import Snapshot, weights_digest
from realitycheck.training.feed import Feed

STEPS = (6, 4)


def replayed(trainer, **options):
    """The trainer with steps that are recorded on the CPU."""
    capture = RecordedGraphs(lambda: [*_tensors(trainer).values(), trainer.replays._values], **options)
    trainer.replays = CapturedSteps(capture, ())
    return trainer, capture


def trained(trainer):
    """Interval means and the digest of everything after some intervals."""
    means = [trainer.advance(count) for count in STEPS]
    return means, weights_digest(_tensors(trainer))


@pytest.mark.parametrize("name", NAMES)
def test_a_replayed_run_is_the_eager_run(name):
    trainer, capture = replayed(trainer_of(name))
    assert trained(trainer) == trained(trainer_of(name))
    assert (trainer.replays.outcome, capture.recorded) == ("CUDA graph", 1)
    assert trainer.replays.replays == sum(STEPS) - WARM_STEPS - 1


@pytest.mark.parametrize("rule", ["sgd", "adamw", "rmsprop"])
def test_every_optimizer_is_replayed(rule):
    chosen = recipe_with().optimizers.trunk.model_copy(update={"name": rule, "lr": 1e-3, "weight_decay": 1e-4})
    recipe = recipe_with(optimizers=Optimizers(trunk=chosen, embedder=chosen, loss=chosen))
    trainer, _ = replayed(trainer_of("proxy_anchor", recipe=recipe))
    assert trained(trainer) == trained(trainer_of("proxy_anchor", recipe=recipe))
    assert trainer.replays.outcome == "CUDA graph"


def test_a_state_that_is_put_back_is_recorded_anew():
    """As at the end of a phase: the optimisers' tensors are new ones, and a rate differs."""
    runs = []
    for trainer in (trainer_of("proxy_anchor"), replayed(trainer_of("proxy_anchor"))[0]):
        kept = Snapshot.take(trainer.parts)
        trainer.advance(6)
        kept.restore(trainer.parts)
        trainer.optimizers["loss"].param_groups[0]["lr"] = 0.5
        runs.append(trained(trainer))
    assert runs[0] == runs[1]
    assert trainer.replays.capture.recorded == 2


class _Mean(nn.Module):
    """The mean square of embeddings, times something."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, embeddings, labels):
        return embeddings.square().mean() * self.factor()

    def factor(self):
        return 1.0


class Counts(_Mean):
    def factor(self):
        self.calls += 1
        return 0.9**self.calls


class Draws(_Mean):
    def factor(self):
        return torch.rand(())


class DrawsByPython(_Mean):
    def factor(self):
        return random.random()


class Moves(_Mean):
    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.ones(()))

    def factor(self):
        self.last = self.last * 0.9
        return self.last


class Constant(_Mean):
    def forward(self, embeddings, labels):
        return 0.0


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (Counts, "values of its modules changed in a step"),
        (Draws, "a global generator changed in a step"),
        (DrawsByPython, "a global generator changed in a step"),
        (Moves, "its tensors changed in a step"),
        (Constant, "a step had no gradient"),
    ],
)
def test_a_loss_with_state_outside_of_its_tensors_is_not_recorded(loss, why):
    random.seed(1)
    trainer, capture = replayed(trainer_of(loss()))
    found = trained(trainer)
    random.seed(1)
    assert found == trained(trainer_of(loss()))
    assert (trainer.replays.outcome, capture.recorded) == (f"eager: {why}", 0)


class Reads(_Mean):
    """The first of its reads is in the midst of a step: a gradient is there, and no weight has moved."""

    def factor(self):
        return 1.0 if torch.ones(()).item() else 0.0


class ReadsLater(_Mean):
    """A weight has moved when the host reads it."""

    def forward(self, embeddings, labels):
        with torch.no_grad():
            self.scale.mul_(1.01)
        self.scale.detach().sum().item()
        return embeddings.square().mean() * self.scale

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))


@pytest.mark.parametrize("loss", [Reads, ReadsLater])
def test_a_step_for_which_the_host_waits_is_found_before_a_recording(loss):
    """A recording that such an operation ends would keep the memory of a whole step."""
    trainer, capture = replayed(trainer_of(loss()))
    assert trained(trainer) == trained(trainer_of(loss()))
    why = "RuntimeError: called a synchronizing operation: aten::_local_scalar_dense"
    assert (trainer.replays.outcome, capture.recorded) == (f"eager: {why}", 0)


def test_a_recording_that_fails_leaves_the_run_as_it_is():
    failure = RuntimeError("operation not permitted when stream is capturing\nmore")
    trainer, _ = replayed(trainer_of("contrastive"), fails=failure)
    assert trained(trainer) == trained(trainer_of("contrastive"))
    assert trainer.replays.outcome == "eager: RuntimeError: operation not permitted when stream is capturing"


def test_the_reason_is_what_failed_first():
    """A recording in which an operation failed also fails at its end, with a message of its own."""
    failure = RuntimeError("operation failed due to a previous error during capture")
    failure.__context__ = ValueError("the first error")
    trainer, _ = replayed(trainer_of("contrastive"), fails=failure)
    trainer.advance(6)
    assert trainer.replays.outcome == "eager: ValueError: the first error"


def test_a_replay_that_fails_leaves_the_run_as_it_is(monkeypatch):
    def half(self, calls):
        self.tensors()[0].flatten()[0] += 1
        raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")

    monkeypatch.setattr(RecordedGraphs, "_again", torch.no_grad()(half))
    trainer, _ = replayed(trainer_of("contrastive"))
    assert trained(trainer) == trained(trainer_of("contrastive"))
    assert trainer.replays.outcome == "eager: OutOfMemoryError: Tried to allocate 20.00 GiB"


def test_no_thread_draws_during_a_recording(monkeypatch):
    """Memory that another thread pins would end the recording of a CUDA graph."""
    drawn, record, found = Feed._drawn, RecordedGraphs.record, []

    def slowly(self, *asked):
        time.sleep(0.0 if threading.current_thread() is threading.main_thread() else 0.2)
        return drawn(self, *asked)

    def recorded(self, step):
        found.append(threading.active_count())
        return record(self, step)

    monkeypatch.setattr(Feed, "_drawn", slowly)
    monkeypatch.setattr(RecordedGraphs, "record", recorded)
    monkeypatch.setattr("realitycheck.training.feed.LONGEST_BLOCK", 1)
    before = threading.active_count()
    trainer, _ = replayed(trainer_of("contrastive"))
    trainer.feed.ahead = True
    assert trained(trainer) == trained(trainer_of("contrastive"))
    trainer.feed.close()
    assert found == [before]


def test_a_replay_with_other_bits_is_not_used():
    trainer, _ = replayed(trainer_of("contrastive"), changes=True)
    assert trained(trainer) == trained(trainer_of("contrastive"))
    assert trainer.replays.outcome == "eager: a replay has other bits than the step"


def test_a_later_phase_that_fails_is_named_beside_the_first():
    trainer, capture = replayed(trainer_of("contrastive"))
    trainer.advance(6)
    capture.fails = RuntimeError("no memory")
    Snapshot.take(trainer.parts).restore(trainer.parts)
    trainer.advance(6)
    assert trainer.replays.outcome == "CUDA graph, then eager: RuntimeError: no memory"


def test_a_short_run_says_that_it_was_too_short():
    trainer, _ = replayed(trainer_of("contrastive"))
    trainer.advance(WARM_STEPS)
    assert trainer.replays.outcome == "eager: it ended before a step could be recorded"
