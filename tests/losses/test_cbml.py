"""CBML: loops, points on the circle, and the mined loss below it."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import CBML_KNOBS, LABELS, UNEVEN, agree, cloud, mined, negatives_of, pair_values, positives_of
from plane import arrows

from realitycheck.losses.members.cbml import CBML
from realitycheck.losses.members.multi_similarity_mined import MultiSimilarityMined


class TestCBMLContract(PairContract):
    def make(self):
        return CBML(**CBML_KNOBS)


def cbml_by_loops(points, labels):
    a_p, b_p, a_n, b_n, epsilon, w, h = CBML_KNOBS.values()
    s, label, total = pair_values(points, torch.dot), labels.tolist(), 0.0
    for i in range(len(label)):
        positives, negatives = mined(s, label, i, epsilon)
        if positives:
            pos = [s[i][p] for p in positives_of(label, i)]
            neg = [s[i][n] for n in negatives_of(label, i)]
            mu = h * sum(pos) / len(pos) + (1 - h) * sum(neg) / len(neg)
            total = total + torch.log(1 + sum(torch.exp(-(s[i][p] - a_p) / b_p) for p in positives))
            total = total + torch.log(1 + sum(torch.exp((s[i][n] - a_n) / b_n) for n in negatives))
            total = total + w * sum((value - mu) ** 2 for value in neg)
    return total / len(label)


@pytest.mark.parametrize("seed", [3, 4])
def test_agrees_with_loops(seed):
    """With classes of different sizes, one of a single item."""
    agree(CBML(**CBML_KNOBS), cbml_by_loops, seed, UNEVEN)


def test_cbml_without_variance_is_mined_multi_similarity():
    """At temperatures of 1 and one base."""
    knobs = {"pos_base": 0.4, "pos_temperature": 1.0, "neg_base": 0.4, "neg_temperature": 1.0, "epsilon": 0.1}
    value = CBML(**knobs, variance_weight=0.0, pos_share=0.5)(cloud(0), LABELS)
    expected = MultiSimilarityMined(alpha=1.0, beta=1.0, base=0.4, epsilon=0.1)(cloud(0), LABELS)
    torch.testing.assert_close(value, expected)


def test_cbml_on_the_circle():
    """As mined above, anchor 60° alone: its mean is 0.2·1/2 + 0.8·(-√3/4), over its negatives 0 and, at 210°, -√3/2."""
    knobs = {"pos_base": 0.7, "pos_temperature": 0.5, "neg_base": 0.9, "neg_temperature": 0.3}
    loss = CBML(**knobs, epsilon=0.6, variance_weight=2.0, pos_share=0.2)
    value = loss(3 * arrows(0, 60, 150, 210), torch.tensor([0, 0, 1, 2]))
    negatives = [0.0, -math.sqrt(3) / 2]
    mean = 0.2 * 0.5 + 0.8 * sum(negatives) / 2
    pull, push = math.log(1 + math.exp(-(0.5 - 0.7) / 0.5)), math.log(1 + math.exp((0 - 0.9) / 0.3))
    assert value.item() == pytest.approx((pull + push + 2 * sum((negative - mean) ** 2 for negative in negatives)) / 4)
