"""Blackbox AP: its interpolated gradient by loops, its draws and its margin."""

import numpy as np
import pytest
import torch
from rank_cases import EVEN, UNEVEN, cloud, cosines, separated
from scipy.stats import halfnorm, rankdata

from realitycheck.losses.members.blackbox_ap import BlackboxAP
from realitycheck.losses.parts.counter_random import uniform


def blackbox(points, labels, *, interpolation, margin, seed, step):
    """Value, and similarities weighed by the paper's difference, with the gradient of the loss."""
    similarity = cosines(points, points)
    size = len(labels)
    even = uniform(torch.tensor(seed), torch.tensor(step), (size, size)).double().numpy()
    deviation = halfnorm.ppf(even)
    queries = [i for i in range(size) if (labels == labels[i]).sum() > 1]
    value, weighed = 0.0, 0.0
    for i in queries:
        kept = [j for j in range(size) if j != i]
        target = np.array([float(labels[j] == labels[i]) for j in kept])
        scores = similarity[i, kept].detach().numpy() - margin * deviation[i, kept] * (target - 0.5)
        rank = rankdata(-scores, method="max") / len(kept)
        place = np.array([(target * (scores >= score)).sum() for score in scores]) / len(kept)
        value += 1 - (target * place / rank).sum() / target.sum()
        slope = target * place / rank**2 / target.sum() / len(queries)
        moved = rankdata(-(scores + interpolation * slope), method="max") / len(kept)
        weighed = weighed + (similarity[i, kept] * torch.from_numpy((moved - rank) / interpolation)).sum()
    return value / len(queries), weighed


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize(("interpolation", "margin"), [(4.0, 0.0), (4.0, 0.02), (2.0, 0.3), (50.0, 0.1)])
def test_blackbox_ap_by_loops(labels, interpolation, margin):
    """Two steps: the second has other deviations."""
    loss = BlackboxAP(interpolation=interpolation, margin=margin, seed=5)
    for step in range(2):
        leaf, same = cloud(3), cloud(3)
        value = loss(leaf, labels)
        expected, weighed = blackbox(same, labels, interpolation=interpolation, margin=margin, seed=5, step=step)
        assert value.item() == pytest.approx(expected)
        value.backward()
        weighed.backward()
        assert same.grad.any()
        torch.testing.assert_close(leaf.grad, same.grad)


def test_blackbox_ap_draws_anew_at_every_training_step():
    points, labels = separated([4] * 4, spread=0.5)
    loss = BlackboxAP(interpolation=4.0, margin=1.0, seed=0)
    values = [loss(points, labels).item() for _ in range(3)]
    assert len(set(values)) == 3
    again = BlackboxAP(interpolation=4.0, margin=1.0, seed=0)
    assert [again(points, labels).item() for _ in range(3)] == values
    other = BlackboxAP(interpolation=4.0, margin=1.0, seed=1)
    assert other(points, labels).item() != values[0]
    again.eval()
    assert again(points, labels).item() == again(points, labels).item()
    assert again.step.item() == 3


def test_a_margin_beyond_all_similarities_reverses_a_perfect_batch():
    """Every positive then comes after every negative: the j-th of n has precision j / (negatives + j)."""
    points, labels = separated([3, 3], spread=0.0)
    value = BlackboxAP(interpolation=4.0, margin=1e6, seed=0)(points, labels)
    assert value.item() == pytest.approx(1 - (1 / (3 + 1) + 2 / (3 + 2)) / 2)
