"""Margin loss, with one boundary and with one per class: oracles, loops, and points on the circle."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import FIRST_TWO, LABELS, THREE, UNEVEN, agree, negatives_of, pair_values, positives_of
from plane import arrows, chord
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.margin import Margin
from realitycheck.losses.members.margin_per_class import MarginPerClass


class TestMarginContract(PairContract):
    def make(self):
        return Margin(margin=0.2, beta=1.2)


class TestMarginPerClassContract(PairContract):
    numbered = True

    def make(self):
        return MarginPerClass(margin=0.2, beta=1.2, num_classes=self.classes)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("margin", "beta"), [(0.2, 1.2), (0.08, 0.9), (-0.1, 1.1), (2.0, 0.5)])
def test_margin_agrees_with_pytorch_metric_learning(margin, beta, seed):
    agree(Margin(margin=margin, beta=beta), pml.MarginLoss(margin=margin, beta=beta, learn_beta=True).double(), seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([0] * 7 + [1] * 3 + [2] + [4] * 6 + [5] * 7)])
def test_margin_per_class_agrees_with_pytorch_metric_learning(labels, seed):
    ours = MarginPerClass(margin=0.2, beta=1.0, num_classes=6).double()
    theirs = pml.MarginLoss(margin=0.2, beta=1.0, learn_beta=True, num_classes=6).double()
    with torch.no_grad():
        for beta in (ours.beta, theirs.beta):
            beta.copy_(torch.tensor([0.9, 1.0, 1.1, 1.2, 1.3, 1.4]))
    agree(ours, theirs, seed, labels)


def margin_by_loops(boundaries):
    def loss(points, labels, m=0.2):
        d, label, terms = pair_values(points, lambda a, b: torch.dist(a, b)), labels.tolist(), []
        for a in range(len(label)):
            for p in positives_of(label, a):
                for n in negatives_of(label, a):
                    beta = boundaries[label[a]]
                    terms += [d[a][p] - beta + m, beta - d[a][n] + m]
        kept = [term for term in terms if term > 0]
        return sum(kept) / len(kept)

    return loss


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(
    "ours", [Margin(margin=0.2, beta=1.125), MarginPerClass(margin=0.2, beta=1.125, num_classes=4)]
)
def test_agrees_with_loops(ours, seed):
    """With classes of different sizes, one of a single item."""
    agree(ours, margin_by_loops([1.125] * 4), seed, UNEVEN)


def test_margin_on_the_circle():
    """Both positives are 0.1 too far, one negative 1.5 - √2 too near, the other far enough."""
    assert 1.2 - chord(150) + 0.3 < 0
    value = Margin(margin=0.3, beta=1.2)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((0.1 + 0.1 + 1.5 - math.sqrt(2)) / 3)


def test_margin_per_class_on_the_circle():
    """Pairs 60° and 30° wide, boundaries 0.9 and 0.7; from 60° and 150° a negative is 90° away, all others farther."""
    loss = MarginPerClass(margin=0.55, beta=0.9, num_classes=3).double()
    with torch.no_grad():
        loss.beta.copy_(torch.tensor([0.9, 0.7, 5.0]))
    pulls = 2 * [1 - 0.9 + 0.55] + 2 * [chord(30) - 0.7 + 0.55]
    pushes = [0.9 - chord(90) + 0.55]
    assert 0.7 - chord(90) + 0.55 < 0 and 0.9 - chord(120) + 0.55 < 0
    value = loss(3 * arrows(0, 60, 150, 180), torch.tensor([0, 0, 1, 1]))
    assert value.item() == pytest.approx((2 * sum(pulls) + sum(pushes)) / (2 * 4 + 1))
