"""nDCG@R against values worked out by hand, a double loop, and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import ndcg_score

from realitycheck import metrics
from realitycheck.errors import InputError
from realitycheck.metrics.ndcg import ndcg_in_tiles
from realitycheck.metrics.neighbors.tiles import Tiles

DISTANCES = ("cosine", "euclidean")


def naive(rows, labels, *, distance) -> float:
    rows = np.asarray(rows, dtype=np.float64)
    if distance == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values = []
    for i, label in enumerate(labels):
        far = ((rows - rows[i]) ** 2).sum(1)
        ranked = sorted((j for j in range(len(rows)) if j != i), key=lambda j, far=far: (far[j], j))
        r = sum(labels[j] == label for j in ranked)
        gain = sum(1 / math.log2(rank + 1) for rank, j in enumerate(ranked[:r], start=1) if labels[j] == label)
        if r:
            values.append(gain / sum(1 / math.log2(rank + 1) for rank in range(1, r + 1)))
    return sum(values) / len(values)


def normal(n, d):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n + d))


def signs(n):
    """Unit rows of ±1/4 in 16 places: every product is exact, and ties are many."""
    return torch.randint(0, 2, (n, 16), generator=torch.Generator().manual_seed(n)) * 2.0 - 1


UNBALANCED = [0] * 25 + [1] * 2 + [2] + [3] * 8 + [4] * 3 + [5] + [6] * 20
DATA = {
    "random": (normal(60, 6), [i % 20 for i in range(60)]),
    "unbalanced, with singletons": (normal(60, 4), UNBALANCED),
    "tied": (signs(60), UNBALANCED),
    "duplicated": (normal(6, 4).repeat(10, 1), [i % 7 for i in range(60)]),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_equals_the_double_loop(name, distance):
    rows, labels = DATA[name]
    found = metrics.ndcg_at_r(rows, torch.tensor(labels), distance=distance)
    assert found == pytest.approx(naive(rows, labels, distance=distance), abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (14, 2), elements=st.integers(-3, 3).map(float)),
    labels=arrays.arrays(np.int64, 14, elements=st.integers(0, 5)),
)
def test_any_grid_equals_the_double_loop(rows, labels):
    """Small integers: the double loop is exact, so the order among ties is the only question."""
    found = metrics.ndcg_at_r(rows, labels, distance="euclidean")
    assert found == pytest.approx(naive(rows, labels.tolist(), distance="euclidean"), abs=1e-14)


@pytest.mark.parametrize("name", ["random", "unbalanced, with singletons"])
def test_equals_scikit_learn(name):
    """Its ideal ranking of one query puts the R relevant items first, and `k` cuts at R."""
    rows, labels = DATA[name][0].double().numpy(), np.array(DATA[name][1])
    theirs = []
    for i, label in enumerate(labels):
        rest = np.arange(len(rows)) != i
        relevant = labels[rest] == label
        if relevant.any():
            near = -((rows[rest] - rows[i]) ** 2).sum(1)
            theirs.append(ndcg_score([relevant], [near], k=int(relevant.sum()), ignore_ties=True))
    assert metrics.ndcg_at_r(rows, labels, distance="euclidean") == pytest.approx(np.mean(theirs), abs=1e-12)


def test_by_hand():
    """Positions on a line: a 0, a 1, a 3, b 2.2. b is no query; R is 2, and the ideal gain 1 + 1 / log₂ 3 = 1.63093.

    a0 has the neighbours a1 b, a1 has a0 b, a3 has b a1: gains 1, 1 and 1 / log₂ 3 = 0.63093.
    """
    rows, labels = torch.tensor([[0.0], [1], [3], [2.2]]), torch.tensor([0, 0, 0, 1])
    found = metrics.ndcg_at_r(rows, labels, distance="euclidean")
    assert found == pytest.approx((1 + 1 + 0.63093) / 3 / 1.63093, abs=1e-5)


def test_all_hits_give_one_and_none_gives_zero():
    pairs = torch.tensor([[0.0], [0.1], [0.2], [5], [5.1], [5.2], [5.3]])
    assert metrics.ndcg_at_r(pairs, torch.tensor([0, 0, 0, 1, 1, 1, 1]), distance="euclidean") == 1.0
    assert metrics.ndcg_at_r(pairs[[0, 1, 3, 4]], torch.tensor([0, 1, 0, 1]), distance="euclidean") == 0.0


@pytest.mark.parametrize("name", ["tied", "duplicated"])
def test_tiles_do_not_affect_the_result(name):
    rows, labels = DATA[name]
    expected = metrics.ndcg_at_r(rows, torch.tensor(labels), distance="cosine")
    for size in (1, 7, 33):
        tiles = Tiles(rows=size, columns=size, mirror=0, pairs=2**20, numbers=2**16)
        assert ndcg_in_tiles(rows, torch.tensor(labels), distance="cosine", tiles=tiles) == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", DATA)
def test_a_gpu_gives_the_same_bits(name):
    rows, kind = DATA[name][0], torch.tensor(DATA[name][1])
    ours = metrics.ndcg_at_r(rows, kind, distance="cosine")
    assert metrics.ndcg_at_r(rows.cuda(), kind.cuda(), distance="cosine") == ours


def test_items_without_a_class_mate_are_refused():
    with pytest.raises(InputError) as error:
        metrics.ndcg_at_r(normal(4, 3), torch.arange(4), distance="cosine")
    assert [(problem.code, problem.where) for problem in error.value.problems] == [("labels-without-pairs", "labels")]
