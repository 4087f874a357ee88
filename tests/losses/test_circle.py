"""Circle loss on pairs: an oracle, loops, and points on the circle."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import FIRST_TWO, THREE, UNEVEN, agree, negatives_of, pair_values, positives_of
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.circle import Circle


class TestCircleContract(PairContract):
    def make(self):
        return Circle(margin=0.4, gamma=80.0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("margin", "gamma"), [(0.4, 80), (0.25, 1), (0.0, 20), (1.0, 5)])
def test_circle_agrees_with_pytorch_metric_learning(margin, gamma, seed):
    agree(Circle(margin=margin, gamma=gamma), pml.CircleLoss(m=margin, gamma=gamma), seed)


def circle_by_loops(points, labels, m=0.3, gamma=10.0):
    s, label, terms = pair_values(points, torch.dot), labels.tolist(), []
    for i in range(len(label)):
        positives, negatives = positives_of(label, i), negatives_of(label, i)
        if positives and negatives:
            pull = [max(0.0, 1 + m - s[i][p].item()) * (s[i][p] - 1 + m) for p in positives]
            push = [max(0.0, s[i][n].item() + m) * (s[i][n] - m) for n in negatives]
            product = sum(torch.exp(gamma * value) for value in push) * sum(torch.exp(-gamma * value) for value in pull)
            terms.append(torch.log(1 + product))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("seed", [3, 4])
def test_agrees_with_loops(seed):
    """With classes of different sizes, one of a single item."""
    agree(Circle(margin=0.3, gamma=10.0), circle_by_loops, seed, UNEVEN)


def test_circle_on_the_circle():
    """At a margin of 1/4 the negative at cosine -√3/2 weighs nothing, and is one all the same: e^0."""
    pull = -8 * (1.25 - 0.5) * (0.5 - 0.75)
    first, second = math.log(1 + math.exp(pull)), math.log(1 + math.exp(pull + 8 * 0.25 * (0 - 0.25)))
    value = Circle(margin=0.25, gamma=8)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((first + second) / 2)
