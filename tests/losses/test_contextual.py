"""Contextual loss: loops, neighbours as sets, and points on the circle."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import UNEVEN, agree, cloud, negatives_of, pair_values, positives_of
from plane import arrows, cosine_of
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.contextual import Contextual

CONTEXTUAL_KNOBS = {"context_weight": 0.4, "mean_weight": 0.1, "mean_similarity": 0.25, "epsilon": 0.05}
CONTEXTUAL_KNOBS |= {"pos_margin": 0.75, "neg_margin": 0.2}


class TestContextualContract(PairContract):
    def make(self):
        return Contextual(**CONTEXTUAL_KNOBS)


class Step(torch.autograd.Function):
    """1 from 0 on, and a slope of 10."""

    @staticmethod
    def forward(ctx, x):
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return 10 * gradient


def contextual_by_loops(points, labels):
    """Item by item, with numbers where the authors' code takes no gradient."""
    lam, gamma, tau, epsilon, m_p, m_n = CONTEXTUAL_KNOBS.values()
    s, label = pair_values(points, torch.dot), labels.tolist()
    n = range(len(label))
    square = [[2 - 2 * s[i][j] if i != j else torch.zeros_like(s[i][j]) for j in n] for i in n]

    def near(i, rank):
        limit = sorted(distance.item() for distance in square[i])[rank - 1] + epsilon
        return [Step.apply(limit - square[i][j]) for j in n]

    sizes = [label.count(other) for other in label]
    full, half = [near(i, sizes[i]) for i in n], [near(i, max(1, sizes[i] // 2)) for i in n]
    inside = [sum(row).item() for row in full]

    def weight(i, j):
        both = sum(full[i][k] * full[j][k] for k in n) / inside[i]
        neither = sum((1 - full[i][k]) * (1 - full[j][k]) for k in n) / (len(label) - inside[i])
        return (both + neither) / 2 * full[i][j]

    w = [[weight(i, j) for j in n] for i in n]
    mutual = [[half[i][k] * half[k][i] for k in n] for i in n]
    mean = [[sum(mutual[i][k] * w[k][j] for k in n) / sum(mutual[i]) for j in n] for i in n]
    context = (
        sum((float(label[i] == label[j]) - (mean[i][j] + mean[j][i]) / 2) ** 2 for i in n for j in n if i != j)
        / len(label) ** 2
    )
    level = (sum(sum(row) for row in s) / len(label) ** 2 - tau) ** 2
    pull = [m_p - s[i][j] for i in n for j in positives_of(label, i) if s[i][j] < m_p]
    push = [s[i][j] - m_n for i in n for j in negatives_of(label, i) if s[i][j] > m_n]
    contrast = sum(pull) / len(pull) + sum(push) / len(push)
    return lam * context + gamma * level + (1 - lam - gamma) * contrast


@pytest.mark.parametrize("seed", [3, 4])
def test_agrees_with_loops(seed):
    """With classes of different sizes, one of a single item."""
    agree(Contextual(**CONTEXTUAL_KNOBS), contextual_by_loops, seed, UNEVEN)


def test_contextual_neighbours_as_sets():
    """The contextual similarity from Python sets, on classes of five."""
    knobs = {**CONTEXTUAL_KNOBS, "context_weight": 1.0, "mean_weight": 0.0, "epsilon": 0.4}
    points, label = cloud(5, 20), [0, 1, 2, 3] * 5
    rows = [[value / math.hypot(*row) for value in row] for row in points.tolist()]
    square = [[math.dist(a, b) ** 2 for b in rows] for a in rows]
    everyone = set(range(20))

    def near(i, rank):
        return {j for j in everyone if square[i][j] <= sorted(square[i])[rank - 1] + 0.4}

    full, half = [near(i, 5) for i in range(20)], [near(i, 2) for i in range(20)]
    w = [[0.0] * 20 for _ in range(20)]
    for i in everyone:
        for j in full[i]:
            neither = len((everyone - full[i]) & (everyone - full[j])) / (20 - len(full[i]))
            w[i][j] = (len(full[i] & full[j]) / len(full[i]) + neither) / 2
    mutual = [[k for k in half[i] if i in half[k]] for i in range(20)]
    mean = [[sum(w[k][j] for k in mutual[i]) / len(mutual[i]) for j in range(20)] for i in range(20)]
    gaps = [((label[i] == label[j]) - (mean[i][j] + mean[j][i]) / 2) ** 2 for i in everyone for j in everyone if i != j]
    assert max(len(item) for item in mutual) > 2
    assert Contextual(**knobs)(points, torch.tensor(label)).item() == pytest.approx(sum(gaps) / 400)


def test_contextual_without_context_is_contrastive():
    cosine = pml_distances.CosineSimilarity()
    knobs = {**CONTEXTUAL_KNOBS, "context_weight": 0.0, "mean_weight": 0.0}
    agree(Contextual(**knobs), pml.ContrastiveLoss(pos_margin=0.75, neg_margin=0.2, distance=cosine), 0)


def test_contextual_on_the_circle():
    """Two nearest: {0, 20}, {20, 0}, {50, 20}, {100, 50}. J is 1 for 0 and 20, 1/4 for 20 and 50 and for 50 and 100."""
    knobs = {"context_weight": 0.5, "mean_weight": 0.2, "mean_similarity": 0.25, "epsilon": 0.0}
    value = Contextual(**knobs, pos_margin=0.9, neg_margin=0.5)(3 * arrows(0, 20, 50, 100), torch.tensor([0, 0, 1, 1]))
    context = (2 * 0.75**2 + 2 * 0.25**2) / 16
    mean = (4 + 2 * sum(cosine_of(angle) for angle in (20, 50, 100, 30, 80, 50))) / 16
    pull, push = 0.9 - cosine_of(50), (cosine_of(50) + cosine_of(30) - 2 * 0.5) / 2
    assert cosine_of(20) > 0.9 and cosine_of(80) < 0.5
    assert value.item() == pytest.approx(0.5 * context + 0.2 * (mean - 0.25) ** 2 + 0.3 * (pull + push))
