"""Recall at k against hand-made rankings, a double loop, and pytorch-metric-learning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from realitycheck import metrics
from realitycheck.errors import InputError
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.recall import recall_in_tiles

DISTANCES = ("cosine", "euclidean")
KS = (1, 2, 4, 8)


def naive(rows, labels, ks, *, distance):
    rows = np.asarray(rows, dtype=np.float64)
    if distance == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    firsts = []
    for i, label in enumerate(labels):
        far = ((rows - rows[i]) ** 2).sum(1)
        ranked = sorted((j for j in range(len(rows)) if j != i), key=lambda j, far=far: (far[j], j))
        hits = [rank for rank, j in enumerate(ranked, start=1) if labels[j] == label]
        firsts += hits[:1]
    return {k: sum(first <= k for first in firsts) / len(firsts) for k in ks}


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
    "one class": (normal(12, 3), [7] * 12),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_equals_the_double_loop(name, distance):
    rows, labels = DATA[name]
    actual = metrics.recall_at_k(rows, torch.tensor(labels), ks=KS, distance=distance)
    assert actual == pytest.approx(naive(rows, labels, KS, distance=distance), abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (14, 2), elements=st.integers(-3, 3).map(float)),
    labels=arrays.arrays(np.int64, 14, elements=st.integers(0, 5)),
)
def test_any_grid_equals_the_double_loop(rows, labels):
    """Small whole numbers: the double loop is exact, so the order among ties is the only question."""
    actual = metrics.recall_at_k(rows, labels, ks=KS, distance="euclidean")
    assert actual == pytest.approx(naive(rows, labels.tolist(), KS, distance="euclidean"), abs=1e-14)


def test_by_hand():
    """Places on a line: a 0, b 1, c 3, a 7, b 15. c is no query.

    a0 sees b1 c3 a7: rank 3. b1 sees a0 c3 a7 b15: rank 4. a7 sees c3 b1 a0: rank 3. b15 sees a7 c3 b1: rank 3.
    """
    rows, labels = torch.tensor([[0.0], [1], [3], [7], [15]]), torch.tensor([0, 1, 2, 0, 1])
    actual = metrics.recall_at_k(rows, labels, ks=(1, 2, 3, 4), distance="euclidean")
    assert actual == {1: 0.0, 2: 0.0, 3: 0.75, 4: 1.0}


def test_ties_go_to_the_lower_number():
    """All in one place: 0 sees 1 2 3, 1 sees 0 2 3, 2 sees 0 1 3, 3 sees 0 1 2; first hits at 3, 2, 2 and 1."""
    actual = metrics.recall_at_k(torch.ones(4, 2), torch.tensor([0, 1, 1, 0]), ks=(1, 2, 3), distance="cosine")
    assert actual == {1: 0.25, 2: 0.75, 3: 1.0}


def test_a_k_beyond_the_other_items_asks_for_all_of_them():
    rows, labels = DATA["random"]
    actual = metrics.recall_at_k(rows, torch.tensor(labels), ks=(1, 59, 60, 1000), distance="cosine")
    assert actual[59] == actual[60] == actual[1000] == 1.0
    assert actual[1] == metrics.recall_at_k(rows, torch.tensor(labels), ks=(1,), distance="cosine")[1] < 1.0


@pytest.mark.parametrize("distance", DISTANCES)
def test_recall_at_1_is_precision_at_1_ours_and_theirs(distance):
    kind = torch.arange(400) % 23
    rows = normal(23, 16)[kind] + normal(400, 16)
    actual = metrics.recall_at_k(rows, kind, ks=(1,), distance=distance)[1]
    assert actual == metrics.retrieval_scores(rows, kind, distance=distance)["precision_at_1"]
    flat = torch.nn.functional.normalize(rows) if distance == "cosine" else rows
    calculator = AccuracyCalculator(include=("precision_at_1",), k=1, device=torch.device("cpu"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_metric_learning")
        warnings.filterwarnings("ignore", module="faiss")
        assert actual == pytest.approx(calculator.get_accuracy(flat, kind)["precision_at_1"], abs=1e-6)


@pytest.mark.parametrize("name", ["tied", "duplicated"])
def test_tiles_move_nothing(name):
    rows, labels = DATA[name]
    expected = metrics.recall_at_k(rows, torch.tensor(labels), ks=KS, distance="cosine")
    for size in (1, 7, 33):
        tiles = Tiles(rows=size, columns=size, mirror=0, pairs=2**20, numbers=2**16)
        assert recall_in_tiles(rows, torch.tensor(labels), ks=KS, distance="cosine", tiles=tiles) == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", DATA)
def test_a_gpu_gives_the_same_bits(name):
    rows, kind = DATA[name][0], torch.tensor(DATA[name][1])
    ours = metrics.recall_at_k(rows, kind, ks=KS, distance="cosine")
    assert metrics.recall_at_k(rows.cuda(), kind.cuda(), ks=KS, distance="cosine") == ours


def test_refusals_say_what_must_hold():
    rows, kind = normal(4, 3), torch.tensor([0, 0, 1, 1])
    for ks in ((), (0, 1)):
        with pytest.raises(InputError, match=r"\[k-range\]"):
            metrics.recall_at_k(rows, kind, ks=ks, distance="cosine")
    with pytest.raises(InputError, match=r"\[labels-without-pairs\]"):
        metrics.recall_at_k(rows, torch.arange(4), ks=(1,), distance="cosine")
