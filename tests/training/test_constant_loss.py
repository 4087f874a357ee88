"""A constant value is a step without gradient."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from realitycheck.errors import Diverged
from realitycheck.training.loop import Trainer


def trainer(loss: nn.Module, optimizers: dict) -> Trainer:
    feed = SimpleNamespace(device=torch.device("cpu"))
    return Trainer(feed, SimpleNamespace(), loss, None, optimizers, "cosine")


class Fixed(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, embeddings, labels):
        return self.value if self.value is not None else embeddings.square().mean()


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9, weight_decay=0.1, foreach=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1, fused=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("value", [torch.tensor(0.0), torch.tensor(0), 0, 0.25])
def test_nothing_moves_in_a_step_without_gradient(name, value):
    weight = nn.Parameter(torch.ones(3, 2))
    optimizer = OPTIMIZERS[name]([weight])
    made = trainer(Fixed(None), {"embedder": optimizer})
    labels = torch.zeros(4, dtype=torch.int64)
    made._backward(torch.ones(4, 3) @ weight, labels, {})
    optimizer.step()
    before, state = weight.detach().clone(), {k: v.clone() for k, v in optimizer.state[weight].items() if v is not None}
    assert state, "the optimiser has a state that could move"
    made.loss = Fixed(value)
    loss = made._backward(torch.ones(4, 3) @ weight, labels, {})
    optimizer.step()
    assert float(loss) == float(value)
    assert torch.equal(weight, before)
    for key, kept in state.items():
        assert torch.equal(optimizer.state[weight][key], kept)


def test_a_vector_is_an_exception_of_the_loss():
    with pytest.raises(Diverged, match="ValueError"):
        trainer(Fixed(torch.zeros(3)), {})._backward(torch.ones(4, 3), torch.zeros(4, dtype=torch.int64), {})


def test_a_fault_of_the_machine_is_no_divergence():
    class Full(nn.Module):
        def forward(self, embeddings, labels):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        trainer(Full(), {})._backward(torch.ones(4, 3), torch.zeros(4, dtype=torch.int64), {})
