"""Points of a batch, with a loop over all pairs."""

import torch
from plane import arrows

CBML_KNOBS = {"pos_base": 0.5, "pos_temperature": 0.5, "neg_base": 0.4, "neg_temperature": 0.1}
CBML_KNOBS |= {"epsilon": 0.2, "variance_weight": 0.7, "pos_share": 0.3}
LABELS = torch.arange(24) // 4


def cloud(seed, size=24):
    """Points of different lengths; items of one class are somewhat closer."""
    generator = torch.Generator().manual_seed(seed)
    centers = torch.randn(6, 8, dtype=torch.float64, generator=generator)
    points = centers[LABELS] + 1.2 * torch.randn(24, 8, dtype=torch.float64, generator=generator)
    return points[:size].requires_grad_()


def agree(ours, theirs, seed, labels=LABELS):
    """In value and gradients, those of parameters in their order included."""
    ours, one, two = ours.double(), cloud(seed, len(labels)), cloud(seed, len(labels))
    learned = list(theirs.parameters()) if isinstance(theirs, torch.nn.Module) else []
    value, expected = ours(one, labels), theirs(two, labels)
    torch.testing.assert_close(value, expected.reshape(()), rtol=1e-9, atol=1e-12)
    actual = torch.autograd.grad(value, [one, *ours.parameters()])
    wanted = torch.autograd.grad(expected, [two, *learned])
    assert actual[0].any()
    for mine, other in zip(actual, wanted, strict=len(wanted) > 1):
        torch.testing.assert_close(mine, other.reshape(mine.shape), rtol=1e-7, atol=1e-9)


UNEVEN = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3])
"""Classes of 4, 3, 4 and 1 items."""


def unit_rows(points):
    return [row / row.norm() for row in points]


def pair_values(points, function):
    rows = unit_rows(points)
    return [[function(a, b) for b in rows] for a in rows]


def positives_of(label, anchor):
    return [j for j, other in enumerate(label) if other == label[anchor] and j != anchor]


def negatives_of(label, anchor):
    return [j for j, other in enumerate(label) if other != label[anchor]]


def mined(s, label, i, epsilon):
    positives, negatives = positives_of(label, i), negatives_of(label, i)
    if not positives or not negatives:
        return [], []
    top, bottom = max(s[i][n] for n in negatives), min(s[i][p] for p in positives)
    kept = [p for p in positives if s[i][p] - epsilon < top], [n for n in negatives if s[i][n] + epsilon > bottom]
    return kept if kept[0] and kept[1] else ([], [])


THREE, FIRST_TWO = arrows(0, 60, 150), torch.tensor([0, 0, 1])
"""Positives 60° apart: cosine 1/2. Negatives 90° and 150° apart: cosines 0 and -√3/2. The third has no positive."""
