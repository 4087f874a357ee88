"""Losses on ranks: points on the circle by hand."""

import math

import pytest
import torch
from rank_cases import sigma

from realitycheck.losses.members.blackbox_ap import BlackboxAP
from realitycheck.losses.members.fast_ap import FastAP
from realitycheck.losses.members.listwise_ap import ListwiseAP
from realitycheck.losses.members.recall_at_k import RecallAtK
from realitycheck.losses.members.roadmap import Roadmap
from realitycheck.losses.members.smooth_ap import SmoothAP


def circle(*degrees):
    """Points on the unit circle, but of different lengths."""
    angles = [math.radians(angle) for angle in degrees]
    points = [[scale * math.cos(a), scale * math.sin(a)] for scale, a in zip((1, 3, 0.5), angles, strict=True)]
    return torch.tensor(points, dtype=torch.float64)


# Points at 0° and 60° of one class and at 90° of another. Similarities: 1/2 of the positives, 0 from the first point to
# the negative, √3/2 from the second. The third point has no positive and is no query.
POINTS, CLASSES = circle(0, 60, 90), torch.tensor([0, 0, 1])
NEAR = math.sqrt(3) / 2


def test_fast_ap_on_the_circle():
    """Centres at squared distances 0, 2 and 4: a similarity s counts s at the first and 1 - s at the second."""
    first = 0.5 * 1 + 0.5 * (1 / 2)
    second = 0.5 * 0.5 / (0.5 + NEAR) + 0.5 * (1 / 2)
    value = FastAP(bins=2)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (first + second) / 2)


def test_listwise_ap_on_the_circle():
    """The same centres, now similarities 1, 0 and -1; each query is itself a second positive, at the first of them."""
    first = (1.5 * 1 + 0.5 * (2 / 3)) / 2
    second = (1.5 * 1.5 / (1.5 + NEAR) + 0.5 * (2 / 3)) / 2
    value = ListwiseAP(bins=3)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (first + second) / 2)


@pytest.mark.parametrize("t", [0.1, 1.0])
def test_smooth_ap_on_the_circle(t):
    def precision(itself, other, negative):
        """Of a query with these similarities."""
        total = 0.0
        for one, two in ((itself, other), (other, itself)):
            among = 1 + sigma((two - one) / t)
            total += among / (among + sigma((negative - one) / t))
        return total / 2

    value = SmoothAP(temperature=t)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (precision(1, 0.5, 0) + precision(1, 0.5, NEAR)) / 2)


def test_recall_at_k_on_the_circle():
    """One positive each, with a rank of 1 and a little, or 2 less a little; a k above 3 counts as 3."""
    ranks = [1 + sigma((0 - 0.5) / 0.2), 1 + sigma((NEAR - 0.5) / 0.2)]
    recalls = [sum(min(k, sigma((k - rank) / 0.7)) for k in (1, 2, 3, 3, 3)) / 5 for rank in ranks]
    value = RecallAtK(rank_temperature=0.2, recall_temperature=0.7)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - sum(recalls) / 2)


def test_recall_at_k_stops_at_k():
    """Ten items at one place: all nine ranks are 1 + 8/2 = 5. At 1 they sum to more than 1, at 8 to less than 8."""
    t = 2.0
    whole, within = 9, lambda k: 9 * sigma((k - 5) / t)
    assert within(8) < 8 and within(1) > 1
    expected = (1 / 1 + within(2) / 2 + within(4) / 4 + within(8) / 8 + within(10) / whole) / 5
    value = RecallAtK(rank_temperature=0.01, recall_temperature=t)(torch.ones(10, 2).double(), torch.zeros(10).long())
    assert value.item() == pytest.approx(1 - expected)


def test_roadmap_on_the_circle():
    """The negative is behind the positive of the first query, and in front of that of the second by more than δ."""
    t, rho, delta = 0.1, 5.0, 0.05
    first = (1 / (1 + sigma(-1 / t)) + 2 / (2 + sigma(-0.5 / t))) / 2
    line = sigma(delta / t) + 0.5 + rho * (NEAR - 0.5 - delta)
    second = (1 / (1 + sigma((NEAR - 1) / t)) + 2 / (2 + line)) / 2
    calibration = (0.9 - 0.5) + (NEAR - 0.6)
    loss = Roadmap(mix=0.3, temperature=t, rho=rho, delta=delta, pos_margin=0.9, neg_margin=0.6)
    expected = 0.7 * (1 - (first + second) / 2) + 0.3 * calibration
    assert loss(POINTS, CLASSES).item() == pytest.approx(expected)


def test_roadmap_between_zero_and_delta():
    """With δ above √3/2 - 1/2 the negative in front counts σ + 1/2."""
    step = sigma((NEAR - 0.5) / 0.1) + 0.5
    first = (1 / (1 + sigma(-1 / 0.1)) + 2 / (2 + sigma(-0.5 / 0.1))) / 2
    second = (1 / (1 + sigma((NEAR - 1) / 0.1)) + 2 / (2 + step)) / 2
    loss = Roadmap(mix=0.0, temperature=0.1, rho=50.0, delta=0.4, pos_margin=0.0, neg_margin=0.0)
    assert loss(POINTS, CLASSES).item() == pytest.approx(1 - (first + second) / 2)


def test_blackbox_ap_on_the_circle():
    """The positive comes first for one query and second for the other."""
    value = BlackboxAP(interpolation=4.0, margin=0.0, seed=0)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (1 + 1 / 2) / 2)
