"""A step without the wrappers of `torch.optim` is that of `torch.optim`, to the bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from realitycheck.protocol.recipe import Optimizer
from realitycheck.training.class_vectors import own_distance
from realitycheck.training.optimizers import _optimizer
from realitycheck.training.steps import forget_gradients, step

KINDS = [("adam", 0.0), ("adam", 0.01), ("adamw", 0.01), ("sgd", 0.01), ("rmsprop", 0.01)]
SHAPES = [(40, 7), (7,), (), (3, 2, 5, 5)]


def parameters_of(seed):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def optimizer_of(name, decay, parameters):
    rule = Optimizer(name=name, lr=0.1, momentum=0.8, weight_decay=decay, eps=1e-6)
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "weight_decay": 0.0, "lr": 0.03}]
    return _optimizer(rule, groups, lr=0.1)


def set_gradients(parameters, number, *, partly):
    """Of every parameter, but none in step 3, and only some in the steps of `partly`."""
    generator = torch.Generator().manual_seed(100 + number)
    for place, parameter in enumerate(parameters):
        drawn = torch.randn(parameter.shape, generator=generator)
        absent = number == 3 or (number in partly and place in (1, 3))
        parameter.grad = None if absent else drawn


def flat_state(optimizer):
    state = optimizer.state_dict()["state"]
    return {(place, name): value for place, values in state.items() for name, value in values.items()}


@pytest.mark.parametrize(("name", "decay"), KINDS)
def test_parameters_and_state_are_those_of_the_optimiser(name, decay):
    ours, theirs = parameters_of(1), parameters_of(1)
    quick, plain = optimizer_of(name, decay, ours), optimizer_of(name, decay, theirs)
    # The fused SGD of torch 2.15 raises a TypeError where a first gradient comes later than another's.
    partly = (4,) if name == "sgd" else (0, 4)
    for number in range(7):
        set_gradients(ours, number, partly=partly)
        set_gradients(theirs, number, partly=partly)
        step(quick)
        plain.step()
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
        one, other = flat_state(quick), flat_state(plain)
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        if number == 4:  # as the second phase of a run, and as a resumed one
            saved, quick = quick.state_dict(), optimizer_of(name, decay, ours)
            quick.load_state_dict(saved)
    assert not torch.equal(ours[0], parameters_of(1)[0])


@pytest.mark.parametrize(("name", "calls"), [("adam", 1), ("adamw", 1), ("rmsprop", 3)])
def test_the_optimiser_is_called_only_without_a_state(name, calls):
    parameters, called = parameters_of(2), []
    optimizer = optimizer_of(name, 0.0, parameters)
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    for _ in range(3):
        set_gradients(parameters, 1, partly=())
        step(optimizer)
    assert len(called) == calls


def test_gradients_are_forgotten():
    parameters = parameters_of(3)
    optimizer = optimizer_of("adam", 0.0, parameters)
    set_gradients(parameters, 1, partly=())
    forget_gradients(optimizer)
    assert all(parameter.grad is None for parameter in parameters)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_the_distance_to_own_vectors_is_that_of_normalised_rows(distance):
    """To the bit, with a row of zeros among them."""
    generator = torch.Generator().manual_seed(4)
    embeddings, vectors = (torch.randn((count, 131), generator=generator) for count in (32, 9))
    embeddings[3], vectors[5] = 0.0, 0.0
    labels = torch.arange(32) % 9
    before = embeddings.clone(), vectors.clone()
    rows, own = embeddings, vectors[labels]
    if distance == "cosine":
        rows, own = functional.normalize(rows), functional.normalize(own)
    expected = torch.linalg.vector_norm(rows - own, dim=1, dtype=torch.float64).mean()
    assert torch.equal(own_distance(embeddings, labels, vectors, distance=distance), expected)
    assert torch.equal(embeddings, before[0]) and torch.equal(vectors, before[1])
