"""Batches with known ranks, and average precisions of queries one by one."""

import math

import torch
from sklearn.metrics import average_precision_score

ROADMAP = {"mix": 0.5, "temperature": 0.01, "rho": 100.0, "delta": 0.05, "pos_margin": 0.9, "neg_margin": 0.6}


def sigma(x):
    return 1 / (1 + math.exp(-x))


def separated(sizes, *, spread, seed=0):
    """Classes along their own axes, in mixed order."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=generator)]
    noise = torch.randn(len(labels), len(sizes), dtype=torch.float64, generator=generator)
    return torch.nn.functional.one_hot(labels).double() + spread * noise, labels


EVEN = torch.arange(12) % 3
UNEVEN = torch.tensor([3, 0, 1, 1, 0, 2, 1, 3, 1, 3, 0, 1])


def cloud(seed, count=12):
    """Points that lean to one side, so that similarities of both signs occur, and near ties."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, 4, dtype=torch.float64, generator=generator) + 0.3).requires_grad_()


def cosines(anchors, others):
    unit = torch.nn.functional.normalize
    return unit(anchors, dim=1) @ unit(others, dim=1).T


def queries(anchors, labels, others=None, other_labels=None):
    """(similarities of others, which of them are positive) of each query with a positive; itself is left out."""
    rows = []
    similarity = cosines(anchors, anchors if others is None else others)
    against = labels if others is None else other_labels
    for i, row in enumerate(similarity):
        kept = [j for j in range(len(row)) if others is not None or j != i]
        positive = [bool(against[j] == labels[i]) for j in kept]
        if any(positive):
            rows.append(([row[j] for j in kept], positive))
    return rows


def with_itself(scores, positive):
    return [*scores, torch.ones((), dtype=torch.float64)], [*positive, True]


def agree(value, expected, leaf, same):
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(leaf.grad, same.grad, rtol=1e-6, atol=1e-9)


STEPS = [
    {"temperature": 0.01, "rho": 100.0, "delta": 0.05},
    {"temperature": 0.2, "rho": 3.0, "delta": 0.3},
    {"temperature": 0.05, "rho": 1.0, "delta": 0.0},
]


def mean_average_precision(points, labels, *, itself):
    values = []
    for scores, positive in queries(points, labels):
        if itself:
            scores, positive = with_itself(scores, positive)
        values.append(average_precision_score(positive, [score.item() for score in scores]))
    return sum(values) / len(values)


def scored(seed):
    """Scores with ties, and a mask that leaves no row empty."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(-5, 6, (20, 15), generator=generator).double() / 5
    mask = torch.rand(20, 15, generator=generator) < 0.6
    mask[:, 0] = True
    return scores, mask
