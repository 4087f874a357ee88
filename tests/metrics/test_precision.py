"""Precision at k against values worked out by hand, a double loop, scikit-learn and R-precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.neighbors import NearestNeighbors

from realitycheck import metrics
from realitycheck.errors import InputError
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.precision import precision_in_tiles

DISTANCES = ("cosine", "euclidean")
KS = (1, 2, 5, 10)


def naive(rows, labels, ks, *, distance):
    rows = np.asarray(rows, dtype=np.float64)
    if distance == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    hits = []
    for i, label in enumerate(labels):
        far = ((rows - rows[i]) ** 2).sum(1)
        ranked = sorted((j for j in range(len(rows)) if j != i), key=lambda j, far=far: (far[j], j))
        same = [labels[j] == label for j in ranked]
        hits += [same] if any(same) else []
    return {k: np.mean([np.mean(same[:k]) for same in hits]) for k in ks}


def normal(n, d):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n + d))


UNBALANCED = [0] * 25 + [1] * 2 + [2] + [3] * 8 + [4] * 3 + [5] + [6] * 20
DATA = {
    "random": (normal(60, 6), [i % 20 for i in range(60)]),
    "unbalanced, with singletons": (normal(60, 4), UNBALANCED),
    "duplicated": (normal(6, 4).repeat(10, 1), [i % 7 for i in range(60)]),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_equals_the_double_loop(name, distance):
    rows, labels = DATA[name]
    found = metrics.precision_at_k(rows, torch.tensor(labels), ks=KS, distance=distance)
    assert found == pytest.approx(naive(rows, labels, KS, distance=distance), abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (14, 2), elements=st.integers(-3, 3).map(float)),
    labels=arrays.arrays(np.int64, 14, elements=st.integers(0, 5)),
)
def test_any_grid_equals_the_double_loop(rows, labels):
    """Small integers: the double loop is exact, so the order among ties is the only question."""
    found = metrics.precision_at_k(rows, labels, ks=KS, distance="euclidean")
    assert found == pytest.approx(naive(rows, labels.tolist(), KS, distance="euclidean"), abs=1e-14)


def test_equals_the_neighbours_of_scikit_learn():
    rows, labels = DATA["random"][0].double().numpy(), np.array(DATA["random"][1])
    nearest = NearestNeighbors(n_neighbors=10).fit(rows).kneighbors(return_distance=False)
    theirs = (labels[nearest] == labels[:, None]).mean()
    assert metrics.precision_at_k(rows, labels, ks=[10], distance="euclidean")[10] == pytest.approx(theirs, abs=1e-14)


def test_by_hand():
    """Positions on a line: a 0, b 1, c 3, a 7, b 15. c is no query.

    a0 has the neighbours b1 c3 a7 b15, b1 has a0 c3 a7 b15, a7 has c3 b1 a0 b15, b15 has a7 c3 b1 a0.
    """
    rows, labels = torch.tensor([[0.0], [1], [3], [7], [15]]), torch.tensor([0, 1, 2, 0, 1])
    found = metrics.precision_at_k(rows, labels, ks=(2, 3, 4), distance="euclidean")
    assert found == {2: 0.0, 3: 3 / 3 / 4, 4: 4 / 4 / 4}


def test_a_k_above_the_number_of_other_items_includes_all_of_them():
    """Twenty classes of three: two of the 59 others are of the query's class."""
    rows, labels = DATA["random"]
    found = metrics.precision_at_k(rows, torch.tensor(labels), ks=(59, 60, 1000), distance="cosine")
    assert found == pytest.approx({59: 2 / 59, 60: 2 / 59, 1000: 2 / 59}, abs=1e-15)


@pytest.mark.parametrize("distance", DISTANCES)
def test_agrees_with_the_scores_of_every_record(distance):
    """At k = 1, and at R where all classes have R + 1 items."""
    rows, kind = DATA["random"][0], torch.tensor(DATA["random"][1])
    found = metrics.precision_at_k(rows, kind, ks=(1, 2), distance=distance)
    every = metrics.retrieval_scores(rows, kind, distance=distance)
    assert found == pytest.approx({1: every["precision_at_1"], 2: every["r_precision"]}, abs=1e-15)


def test_tiles_do_not_affect_the_result():
    rows, labels = DATA["duplicated"]
    expected = metrics.precision_at_k(rows, torch.tensor(labels), ks=KS, distance="cosine")
    for size in (1, 7, 33):
        tiles = Tiles(rows=size, columns=size, mirror=0, pairs=2**20, numbers=2**16)
        assert precision_in_tiles(rows, torch.tensor(labels), ks=KS, distance="cosine", tiles=tiles) == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", DATA)
def test_a_gpu_gives_the_same_bits(name):
    rows, kind = DATA[name][0], torch.tensor(DATA[name][1])
    ours = metrics.precision_at_k(rows, kind, ks=KS, distance="cosine")
    assert metrics.precision_at_k(rows.cuda(), kind.cuda(), ks=KS, distance="cosine") == ours


@pytest.mark.parametrize("ks", [(), (0, 1)])
def test_a_k_is_at_least_one(ks):
    with pytest.raises(InputError) as error:
        metrics.precision_at_k(normal(4, 3), torch.tensor([0, 0, 1, 1]), ks=ks, distance="cosine")
    assert [(problem.code, problem.where) for problem in error.value.problems] == [("k-range", "ks")]
