"""The two steps that `check` takes with a loss: each fault that people report has a code of its own."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from realitycheck.check.loss_trial import CLASSES, DIMS, tried_loss
from realitycheck.losses.global_draws import seeded

MODULE_LEVEL = torch.ones(DIMS, requires_grad=True)


class Pull(nn.Module):
    """Without a fault."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.square().mean()


class Held:
    def __init__(self) -> None:
        self.vectors = {"first": torch.ones(DIMS, requires_grad=True)}


def unregistered(hold):
    """A loss with a tensor that `hold` puts somewhere on it, and gives back."""

    class Unregistered(nn.Module):
        def __init__(self):
            super().__init__()
            self.get = hold(self)

        def forward(self, embeddings, labels):
            return (embeddings - self.get()).square().mean()

    return Unregistered


def in_a_list(loss):
    loss.centres = [torch.ones(DIMS, requires_grad=True)]
    return lambda: loss.centres[0]


def in_a_nested_object(loss):
    loss.held = Held()
    return lambda: loss.held.vectors["first"]


def in_a_closure(loss):
    vector = torch.ones(DIMS, requires_grad=True)
    return lambda: vector


def in_a_module(loss):
    return lambda: MODULE_LEVEL


def in_a_buffer(loss):
    loss.register_buffer("centre", torch.ones(DIMS, requires_grad=True))
    return lambda: loss.centre


def of(forward):
    """A loss of this forward pass, with a dictionary of its own to keep things in."""

    class Of(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))
            self.kept = {}

        def forward(self, embeddings, labels):
            value = forward(self, embeddings, labels)
            plain = not isinstance(value, Tensor) or value.dtype is not torch.float32
            return value if plain else value * self.scale

    return Of


def summed(loss, embeddings, labels):
    loss.kept["sum"] = 0.9 * loss.kept.get("sum", 0.0) + embeddings.sum()
    return loss.kept["sum"]


def queued(loss, embeddings, labels):
    others = loss.kept.get("queue", embeddings.detach())
    loss.kept["queue"] = embeddings
    return (embeddings @ others.T).exp().mean()


def cached(loss, embeddings, labels):
    loss.kept.setdefault("unit", nn.functional.normalize(loss.scale * torch.ones(DIMS), dim=0))
    return (embeddings @ loss.kept["unit"]).mean()


def lazily(loss, embeddings, labels):
    if not hasattr(loss, "late"):
        loss.late = nn.Parameter(torch.ones(embeddings.shape[1]))
    return (embeddings * loss.late).mean()


def growing(loss, embeddings, labels):
    loss.register_buffer("queue", torch.cat([getattr(loss, "queue", embeddings[:0].detach()), embeddings.detach()]))
    return (embeddings @ loss.queue.T).square().mean()


def root(loss, embeddings, labels):
    return (((embeddings[:, None] - embeddings) ** 2).sum(-1).sqrt() * (labels[:, None] == labels)).mean()


def normalized_in_place(loss, embeddings, labels):
    embeddings /= embeddings.norm(dim=1, keepdim=True).detach()
    return embeddings.square().mean()


def labels_in_place(loss, embeddings, labels):
    labels += 1
    return embeddings.square().mean()


def own_generator(loss, embeddings, labels):
    return (embeddings * float(np.random.default_rng().normal())).square().mean()


def only_its_parameter(loss, embeddings, labels):
    return embeddings.detach().square().mean()


def without_positives(loss, embeddings, labels):
    positive = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool)
    if not positive.any():
        raise ValueError("no positives")
    return (embeddings @ embeddings.T)[positive].mean()


def empty_mean(loss, embeddings, labels):
    positive = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool)
    return (embeddings @ embeddings.T)[positive].mean()


FAULTS = [
    (unregistered(in_a_list), "tensor-unregistered"),
    (unregistered(in_a_nested_object), "tensor-unregistered"),
    (unregistered(in_a_closure), "tensor-unregistered"),
    (unregistered(in_a_module), "tensor-unregistered"),
    (unregistered(in_a_buffer), "tensor-unregistered"),
    (of(summed), "graph-kept"),
    (of(queued), "graph-kept"),
    (of(cached), "graph-kept"),
    (of(lazily), "loss-late"),
    (of(growing), "loss-late"),
    (lambda: nn.LazyLinear(1), "loss-late"),
    (of(root), "gradient-not-finite"),
    (of(normalized_in_place), "loss-in-place"),
    (of(labels_in_place), "loss-in-place"),
    (of(own_generator), "loss-unrepeatable"),
    (of(only_its_parameter), "loss-detached"),
    (of(without_positives), "batch-without-positives"),
    (of(empty_mean), "batch-without-positives"),
    (of(lambda loss, embeddings, labels: embeddings.square().mean() + 0j), "loss-dtype"),
    (of(lambda loss, embeddings, labels: embeddings.half().square().mean()), "loss-dtype"),
    (of(lambda loss, embeddings, labels: torch.tensor(3)), "loss-dtype"),
    (of(lambda loss, embeddings, labels: embeddings.square().mean().to("meta")), "loss-device"),
    (of(lambda loss, embeddings, labels: embeddings.square().mean(dim=1)), "loss-value"),
    (of(lambda loss, embeddings, labels: embeddings.square().mean().reshape(1)), "loss-value"),
    (of(lambda loss, embeddings, labels: 0.5), "loss-value"),
    (of(lambda loss, embeddings, labels: torch.tensor(0.0)), "loss-detached"),
]


def codes(make) -> list[str]:
    def again():
        with seeded(0):
            return make()

    with seeded(0):
        return [fault.code for fault in tried_loss(make(), again=again)]


@pytest.mark.parametrize(("make", "code"), FAULTS)
def test_each_fault_has_its_code(make, code):
    assert codes(make) == [code]


@pytest.mark.parametrize(
    ("hold", "name"),
    [
        (in_a_list, "self.centres[0]"),
        (in_a_nested_object, "self.held.vectors['first']"),
        (in_a_closure, "self.get.vector"),
        (in_a_module, "MODULE_LEVEL"),
        (in_a_buffer, "self.centre"),
    ],
)
def test_a_tensor_that_is_no_parameter_is_named(hold, name):
    (fault,) = tried_loss(unregistered(hold)(), again=unregistered(hold))
    assert fault.says.startswith(name)


def drawing(loss, embeddings, labels):
    noise = random.random() + np.random.rand() + torch.rand(())
    return (embeddings * noise).square().mean()


def constant_alone(loss, embeddings, labels):
    return embeddings.square().mean() if len(labels.unique()) < CLASSES else 0


@pytest.mark.parametrize("make", [Pull, of(drawing), of(constant_alone)])
def test_a_loss_without_fault(make):
    assert codes(make) == []


def test_a_loss_is_called_three_times():
    calls = []
    assert codes(of(lambda loss, embeddings, labels: calls.append(1) or embeddings.square().mean())) == []
    assert len(calls) == 3


def root_alone(loss, embeddings, labels):
    """A finite value whose gradient is NaN where each image is alone with its class."""
    value = embeddings.square().mean()
    return value + (embeddings * 0).sum().sqrt() if len(labels.unique()) == CLASSES else value


def test_a_gradient_that_fails_without_positives_is_blamed_on_them():
    assert codes(of(root_alone)) == ["batch-without-positives"]


def failing_later(loss, embeddings, labels):
    loss.kept["calls"] = loss.kept.get("calls", 0) + 1
    if loss.kept["calls"] > 1:
        raise ValueError("a second step")
    return embeddings.square().mean()


def test_a_second_step_that_fails_with_positives_too_is_not_blamed_on_them():
    assert codes(of(failing_later)) == ["loss-forward"]
