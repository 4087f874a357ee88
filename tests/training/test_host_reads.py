"""No step makes the host wait for a GPU: no value of a tensor is read, and no shape depends on one."""

from __future__ import annotations

import pytest
import torch
from host_reads import HostReads
from loss_trainers import CLASSES, DIMS, NAMES, loss_of, recipe_with, trainer_of

from realitycheck.losses.base import Need
from realitycheck.protocol.recipe import GradientClip, Optimizers

RULES = recipe_with().optimizers


def steps_read(trainer, count):
    """What a GPU would wait for in some steps; batches are drawn before, on the CPU, where nothing waits."""
    sums, vectors, found = torch.zeros(2, dtype=torch.float64), trainer._class_vectors(), []
    for trainer.iteration in range(count):
        for view in ("batch", "keys"):
            trainer.feed.batch(trainer.iteration, view=view)
        with HostReads() as reads:
            trainer.take_step(sums, vectors)
        found += reads.found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_step_reads_no_value(name):
    assert steps_read(trainer_of(name), 3) == []


@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw", "rmsprop"])
def test_no_optimizer_reads_a_value(rule):
    chosen = RULES.trunk.model_copy(update={"name": rule, "lr": 1e-3, "weight_decay": 1e-4})
    optimizers = Optimizers(trunk=chosen, embedder=chosen, loss=chosen)
    recipe = recipe_with(optimizers=optimizers, gradient_clip=GradientClip(value=0.1))
    assert steps_read(trainer_of("proxy_anchor", recipe=recipe), 3) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_copies_nothing_to_its_device(name):
    """On `meta` every value that is made on the CPU shows, and none can be read."""
    loss = loss_of(name).to("meta")
    points = torch.randn(8, DIMS, device="meta", requires_grad=True)
    inputs = {Need.FEATURES: points, Need.KEYS: torch.randn(8, DIMS, device="meta")}
    needs = {need.value: inputs[need] for need in getattr(loss, "needs", ())}
    labels = torch.arange(8, device="meta") * CLASSES // 16
    with HostReads() as reads:
        loss(points, labels, **needs).backward()
    assert reads.found == []
    assert points.grad.shape == points.shape


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda x: x.sum().item(), "aten::_local_scalar_dense"),
        (lambda x: float(x.sum()), "aten::_local_scalar_dense"),
        (lambda x: x.sum().tolist(), "tolist"),
        (lambda x: x.numpy(), "numpy"),
        (lambda x: (x > 0).nonzero(), "aten::nonzero"),
        (lambda x: x[x > 0], "aten::index"),
        (lambda x: x.masked_select(x > 0), "aten::masked_select"),
        (lambda x: torch.equal(x, x), "aten::equal"),
        (lambda x: x.repeat_interleave(torch.ones(2, dtype=torch.int64), dim=0), "aten::repeat_interleave"),
        (lambda x: x.to("meta"), "aten::_to_copy between devices"),
        (lambda x: torch.tensor(1.0, device="meta"), "a value of Python to a device"),
    ],
)
def test_what_waits_is_found(work, expected):
    with HostReads() as reads:
        work(torch.ones(2, 2))
    assert expected in reads.found


def test_bool_of_a_tensor_is_found():
    with HostReads() as reads:
        assert torch.ones(2).all()
    assert set(reads.found) & {"aten::_local_scalar_dense", "aten::is_nonzero"}
