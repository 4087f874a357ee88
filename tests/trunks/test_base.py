"""Loading is strict: every tensor of the trunk, nothing else, in its shape."""

import pytest
import torch
from torch import nn

from realitycheck.errors import InputError
from realitycheck.trunks.base import Trunk


class Toy(Trunk):
    head = ("fc.",)

    def __init__(self, *, in_channels):
        super().__init__()
        self.output_dim = 4
        self.conv = nn.Conv2d(in_channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, images):
        return self.norm(self.conv(images))

    def renamed(self, tensors):
        return {key.replace("bn1", "norm"): tensor for key, tensor in tensors.items()}


@pytest.fixture
def public():
    """A file as a publisher writes it: other names, a classifier."""
    made = {
        key.replace("norm", "bn1"): torch.full_like(tensor, 3)
        for key, tensor in Toy(in_channels=3).state_dict().items()
    }
    return {**made, "fc.weight": torch.ones(2, 4), "fc.bias": torch.ones(2)}


def test_public_names(public):
    toy = Toy(in_channels=3)
    toy.load(public)
    assert all((tensor == 3).all() for tensor in toy.state_dict().values())


def test_own_names():
    first, second = Toy(in_channels=3), Toy(in_channels=3)
    second.load(first.state_dict())
    assert torch.equal(first.conv.weight, second.conv.weight)


def test_a_file_older_than_the_count_of_batches(public):
    del public["bn1.num_batches_tracked"]
    Toy(in_channels=3).load(public)


def test_every_problem_at_once(public):
    del public["conv.bias"]
    public |= {"extra.weight": torch.ones(1), "bn1.bias": torch.ones(1, 4)}
    toy = Toy(in_channels=3)
    before = toy.conv.weight.clone()
    with pytest.raises(InputError) as caught:
        toy.load(public)
    assert caught.value.source == "the weights of Toy"
    says = {problem.code: problem.says for problem in caught.value.problems}
    assert says.keys() == {"tensor-missing", "tensor-unknown", "tensor-shape"}
    assert ": conv.bias." in says["tensor-missing"]
    assert ": extra.weight." in says["tensor-unknown"]
    assert "norm.bias (1, 4) instead of (4,)" in says["tensor-shape"]
    assert torch.equal(toy.conv.weight, before)


def test_many_keys_are_counted(public):
    with pytest.raises(InputError, match=r": x0, x1, x2 and 4 more\."):
        Toy(in_channels=3).load({**public, **{f"x{index}": torch.ones(1) for index in range(7)}})


def test_nothing_is_not_weights():
    with pytest.raises(InputError, match=r": conv\.weight, conv\.bias, norm\.weight and 3 more.*\[tensor-missing\]"):
        Toy(in_channels=3).load({})
