"""Mined multi-similarity: an oracle, loops, and points on the circle."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import FIRST_TWO, LABELS, THREE, UNEVEN, agree, cloud, mined, pair_values
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import miners

from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.multi_similarity_mined import MultiSimilarityMined


class TestMultiSimilarityMinedContract(PairContract):
    def make(self):
        return MultiSimilarityMined(alpha=2.0, beta=50.0, base=0.5, epsilon=0.1)


def mined_by_pml(alpha, beta, base, epsilon):
    loss, miner = pml.MultiSimilarityLoss(alpha=alpha, beta=beta, base=base), miners.MultiSimilarityMiner(epsilon)
    return lambda points, labels: loss(points, labels, miner(points, labels))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("knobs", [(2, 50, 0.5, 0.1), (18, 75, 0.8, 0.4), (2, 50, 0.5, 0.0), (2, 50, 0.5, -0.4)])
def test_mined_multi_similarity_agrees_with_pytorch_metric_learning(knobs, seed):
    ours = MultiSimilarityMined(**dict(zip(("alpha", "beta", "base", "epsilon"), knobs, strict=True)))
    agree(ours, mined_by_pml(*knobs), seed)


def mined_by_loops(points, labels, alpha=3.0, beta=20.0, base=0.6, epsilon=0.1):
    s, label, total = pair_values(points, torch.dot), labels.tolist(), 0.0
    for i in range(len(label)):
        positives, negatives = mined(s, label, i, epsilon)
        if positives:
            total = total + torch.log(1 + sum(torch.exp(-alpha * (s[i][p] - base)) for p in positives)) / alpha
            total = total + torch.log(1 + sum(torch.exp(beta * (s[i][n] - base)) for n in negatives)) / beta
    return total / len(label)


@pytest.mark.parametrize("seed", [3, 4])
def test_agrees_with_loops(seed):
    """With classes of different sizes, one of a single item."""
    agree(MultiSimilarityMined(alpha=3.0, beta=20.0, base=0.6, epsilon=0.1), mined_by_loops, seed, UNEVEN)


def test_mining_with_a_wide_epsilon_keeps_all():
    one, two = (
        MultiSimilarityMined(alpha=2, beta=50, base=0.5, epsilon=2.1),
        MultiSimilarity(alpha=2, beta=50, base=0.5),
    )
    assert torch.equal(one(cloud(0), LABELS), two(cloud(0), LABELS))


def test_mined_multi_similarity_on_the_circle():
    """0 is within 0.6 of 1/2, from 60°, but not -√3/2, from 0°: that anchor adds nothing."""
    value = MultiSimilarityMined(alpha=1, beta=2, base=0.3, epsilon=0.6)(3 * THREE, FIRST_TWO)
    expected = math.log(1 + math.exp(-(0.5 - 0.3))) + math.log(1 + math.exp(2 * (0 - 0.3))) / 2
    assert value.item() == pytest.approx(expected / 3)
