"""Threshold-consistent margin: the loss that it wraps, pytorch-metric-learning's, and pairs counted by hand."""

import math

import pytest
import torch
from member_contracts import MemberContract
from memory_cases import BASES, batches
from plane import arrows, cosine_of
from pytorch_metric_learning.losses import ThresholdConsistentMarginLoss

from realitycheck.losses.build import build
from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.threshold_consistent_margin import ThresholdConsistentMargin

KNOBS = {"positive_weight": 0.7, "negative_weight": 1.3, "positive_threshold": 0.8, "negative_threshold": 0.1}


class TestThresholdConsistentMarginContract(MemberContract):
    def make(self):
        return ThresholdConsistentMargin(base=Contrastive(pos_margin=0.0, neg_margin=1.5), **KNOBS)


@pytest.mark.parametrize("base", BASES)
def test_without_weights_it_is_the_wrapped_loss(base):
    loss = ThresholdConsistentMargin(base=base(), **(KNOBS | {"positive_weight": 0.0, "negative_weight": 0.0})).double()
    for points, labels, _ in batches(3):
        assert torch.equal(loss(points, labels), loss.base(points, labels))


@pytest.mark.parametrize("thresholds", [(0.8, 0.1), (0.9, 0.5), (-1.0, 1.0), (1.0, -1.0)])
def test_it_adds_what_pytorch_metric_learning_computes(thresholds):
    """Also where no pair is hard, and where every pair is."""
    high, low = thresholds
    ours = ThresholdConsistentMargin(
        base=BASES[2](), **(KNOBS | {"positive_threshold": high, "negative_threshold": low})
    ).double()
    theirs = ThresholdConsistentMarginLoss(lambda_plus=0.7, lambda_minus=1.3, margin_plus=high, margin_minus=low)
    for points, labels, _ in batches(5):
        left, right = points.clone().requires_grad_(), points.clone().requires_grad_()
        value, expected = ours(left, labels), ours.base(right, labels) + theirs(right, labels)
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(*(torch.autograd.grad(*pair) for pair in ((value, left), (expected, right))))


def test_hard_pairs_by_hand():
    """Class 0 at 0°, 60° and 10°, class 1 at 70°: pairs of 60° and 50° are hard positives, 10° (twice) is not all."""
    loss = build(
        "threshold_consistent_margin(contrastive)",
        num_classes=2,
        embedding_dim=2,
        pos_margin=2.0,
        neg_margin=0.0,
        **KNOBS,
    )
    points, labels = arrows(0, 60, 10, 70, lengths=[1.0, 3.0, 0.5, 2.0]), torch.tensor([0, 0, 0, 1])
    near = ((0.8 - cosine_of(60)) + (0.8 - cosine_of(50))) / 2  # 10° has a similarity of 0.98
    far = (cosine_of(70) + cosine_of(10) + cosine_of(60) - 3 * 0.1) / 3
    assert math.isclose(loss(points, labels).item(), 0.7 * near + 1.3 * far, rel_tol=1e-9)
