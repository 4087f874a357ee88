"""Layers of the networks over a batch: dropout that resumes, and a batch norm for one item."""

import math

import pytest
import torch
from proxy_cases import SIZES

from realitycheck.losses.members.ibc import IBC
from realitycheck.losses.parts.batch_network import BatchNorm, Dropout

KNOBS = {"temperature": 0.2, "smoothing": 0.1, "attention_weight": 1.0, "layers": 2, "heads": 2, "readout": "last"}


class TestDropout:
    def test_drops_its_part_and_keeps_the_mean(self):
        """Of 40,000 values 30 % within five standard deviations, and what is left is larger by 1/0.7."""
        values = Dropout(0.3, 7)(torch.ones(200, 200))
        assert values.unique().tolist() == pytest.approx([0, 1 / 0.7])
        assert abs((values == 0).double().mean().item() - 0.3) < 5 * math.sqrt(0.21 / 40_000)

    def test_follows_from_seed_and_count(self):
        ones = torch.ones(50, 50)
        one, two, other = Dropout(0.5, 7), Dropout(0.5, 7), Dropout(0.5, 8)
        first = one(ones)
        assert torch.equal(first, two(ones))
        assert not torch.equal(first, other(ones))
        assert not torch.equal(first, one(ones))
        two.load_state_dict(one.state_dict())
        assert torch.equal(one(ones), two(ones))

    def test_layers_differ(self):
        loss = IBC(**KNOBS, dropout=0.5, seed=2**62 + 1, **SIZES)
        one, two = (block.drop(torch.ones(50, 50)) for block in loss.blocks)
        assert not torch.equal(one, two)

    def test_is_silent_outside_of_training(self):
        drop = Dropout(0.5, 7).eval()
        assert torch.equal(drop(torch.ones(9, 9)), torch.ones(9, 9))
        assert drop.draws.item() == 0


def test_batch_norm_of_one_item_uses_the_running_statistics():
    norm = BatchNorm(3)
    norm(torch.randn(20, 3, generator=torch.Generator().manual_seed(0)))
    one = torch.tensor([[1.0, 2.0, 3.0]])
    assert torch.equal(norm(one), norm.eval()(one))
