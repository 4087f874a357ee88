"""Triplets with negatives drawn by their distance: chances, draws, values, steps."""

import math

import pytest
import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from torch.nn.functional import normalize

from realitycheck.losses.members.triplet_distance_weighted import TripletDistanceWeighted, chances, draw
from realitycheck.losses.parts.counter_random import uniform

LABELS = (torch.arange(24) // 4)[torch.randperm(24, generator=torch.Generator().manual_seed(7))]
AWAY = LABELS[:, None] != LABELS
PAIRS = ~AWAY & ~torch.eye(24, dtype=torch.bool)


def cloud():
    return torch.randn(24, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()


def test_negatives_are_weighed_by_the_density_of_distances():
    """In 8 dimensions: q = d^6 (1 - d²/4)^(5/2), with 0.3 weighed as 0.5, and nothing from 1.4 on."""
    row = torch.tensor([[0.3, 0.6, 1.0, 1.39, 1.4, 1.9, 0.1, 2.0]])
    negative = torch.tensor([[True, True, True, True, True, True, False, False]])
    weights = [1 / (d**6 * (1 - d**2 / 4) ** 2.5) for d in (0.5, 0.6, 1.0, 1.39)]
    expected = [weight / sum(weights) for weight in weights] + [0.0] * 4
    assert chances(row, negative, dims=8)[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_negatives_without_a_weight_are_drawn_evenly():
    actual = chances(torch.tensor([[1.5, 1.9, 2.0, 0.1]]), torch.tensor([[True, True, True, False]]), dims=512)
    assert actual[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_draws_follow_the_chances():
    """An even comb of a thousand numbers falls on each item in proportion, to one tooth."""
    chance = torch.tensor([[0.0, 0.15, 0.0, 0.6, 0.25, 0.0]], dtype=torch.float64)
    comb = ((torch.arange(1000) + 0.5) / 1000)[None]
    counts = torch.bincount(draw(chance, comb)[0], minlength=6)
    assert (counts - 1000 * chance[0]).abs().max() <= 1
    ends = torch.tensor([[2.0**-24, 1 - 2.0**-24]])
    assert draw(chance, ends).tolist() == [[1, 4]]


def test_agrees_with_pytorch_metric_learning():
    """Which gets the drawn triplets, one for each anchor and positive."""
    loss = TripletDistanceWeighted(margin=0.5, seed=11)
    unit = normalize(cloud().detach(), dim=1)
    drawn = draw(chances(torch.cdist(unit, unit), AWAY, dims=8), uniform(loss.seed, loss.step, (24, 24)))
    anchor, positive = torch.nonzero(PAIRS, as_tuple=True)
    triplets = (anchor, positive, drawn[anchor, positive])
    assert AWAY[anchor, triplets[2]].all()
    one, two = cloud(), cloud()
    value, expected = loss(one, LABELS), TripletMarginLoss(margin=0.5)(two, LABELS, triplets)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad)


def test_mean_of_many_draws():
    """Near the mean by the chances, for a margin under which all terms count."""
    loss = TripletDistanceWeighted(margin=2.0, seed=3)
    unit = normalize(cloud().detach(), dim=1)
    d = torch.cdist(unit, unit)
    expected = (d - (chances(d, AWAY, dims=8) * d).sum(dim=1, keepdim=True) + 2)[PAIRS].mean()
    values = torch.stack([loss(unit, LABELS) for _ in range(400)])
    assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(400)


def test_draws_anew_in_training_only():
    loss, again = (TripletDistanceWeighted(margin=0.5, seed=11) for _ in range(2))
    values = [loss(cloud(), LABELS).item() for _ in range(3)]
    assert len(set(values)) == 3 and loss.step.item() == 3
    assert [again(cloud(), LABELS).item() for _ in range(3)] == values
    loss.eval()
    assert len({loss(cloud(), LABELS).item() for _ in range(3)}) == 1 and loss.step.item() == 3
    assert TripletDistanceWeighted(margin=0.5, seed=12)(cloud(), LABELS).item() not in values
