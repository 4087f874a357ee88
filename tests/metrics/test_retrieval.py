"""Against hand-made rankings, a double loop, and pytorch-metric-learning."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

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
from realitycheck.metrics.retrieval import scores, scores_in_tiles

DISTANCES = ("cosine", "euclidean")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


BIG = 2**62


def naive(rows, labels, *, distance):
    """Exact fractions over a double loop; {query: (MAP@R, R-precision, precision at 1)}."""
    rows = np.asarray(rows, dtype=np.float64)
    if distance == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    result = {}
    for i, label in enumerate(labels):
        relevant = sum(other == label for other in labels) - 1
        if relevant:
            far = ((rows - rows[i]) ** 2).sum(1)
            ranked = sorted((j for j in range(len(rows)) if j != i), key=lambda j, far=far: (far[j], j))
            result[i] = by_hits([labels[j] == label for j in ranked[:relevant]])
    return result


def by_hits(hits):
    precisions = [Fraction(sum(hits[: i + 1]), i + 1) for i in range(len(hits))]
    average = sum(p for p, hit in zip(precisions, hits, strict=True) if hit) / Fraction(len(hits))
    return average, precisions[-1], precisions[0]


def assert_equals_naive(actual, rows, labels, *, distance):
    of_query = naive(rows, labels, distance=distance)
    means = [float(sum(column) / Fraction(len(of_query))) for column in zip(*of_query.values(), strict=True)]
    assert [actual.map_at_r, actual.r_precision, actual.precision_at_1] == pytest.approx(means, abs=1e-14)
    assert (actual.queries, actual.singletons) == (len(of_query), len(labels) - len(of_query))
    classes = sorted({labels[i] for i in of_query})
    members = [[of_query[i][0] for i in of_query if labels[i] == kind] for kind in classes]
    expected = [float(sum(values) / Fraction(len(values))) for values in members]
    assert actual.map_at_r_per_class == pytest.approx(expected, abs=5.1e-7)


def normal(n, d):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n + d))


def signs(n):
    """Unit rows of ±1/4 in 16 places: every product is exact, and ties are many."""
    return torch.randint(0, 2, (n, 16), generator=torch.Generator().manual_seed(n)) * 2.0 - 1


UNBALANCED = [0] * 25 + [1] * 2 + [2] + [3] * 8 + [4] * 3 + [5] + [6] * 20
DATA = {
    "random": (normal(60, 6), [i % 6 for i in range(60)]),
    "unbalanced": (normal(60, 4), UNBALANCED),
    "tied": (signs(60), UNBALANCED),
    "duplicated": (normal(6, 4).repeat(10, 1), [i % 7 for i in range(60)]),
    "huge labels": (normal(30, 3), [BIG + i % 4 for i in range(30)]),
    "negative labels": (normal(30, 3), [-BIG - i % 3 for i in range(30)]),
    "one class": (normal(12, 3), [7] * 12),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_equals_the_double_loop(name, distance):
    rows, labels = DATA[name]
    actual = scores(rows, torch.tensor(labels), distance=distance)
    assert_equals_naive(actual, rows, labels, distance=distance)


def test_integer_grid_with_ties():
    rows = torch.randint(-2, 3, (70, 2), generator=torch.Generator().manual_seed(0)).float()
    labels = [i % 5 for i in range(69)] + [99]
    actual = scores(rows, torch.tensor(labels), distance="euclidean")
    assert_equals_naive(actual, rows, labels, distance="euclidean")
    assert actual.singletons == 1


def test_by_hand():
    """Places on a line: a 0, a 1, b 3, a 7, b 15, c 31. R is 2 for each a, 1 for each b.

    a0 sees a1 b3: hits 1 0, MAP@R 1/2. a1 sees a0 b3: 1/2. a7 sees b3 (4 away), a1 (6): hits 0 1, MAP@R 1/4.
    b3 sees a1: 0. b15 sees a7: 0. c is no query.
    """
    rows = torch.tensor([[0.0], [1], [3], [7], [15], [31]])
    actual = scores(rows, torch.tensor([10, 10, 20, 10, 20, 30]), distance="euclidean")
    assert actual.map_at_r == 0.25
    assert actual.r_precision == pytest.approx(0.3)
    assert actual.precision_at_1 == pytest.approx(0.4)
    assert actual.map_at_r_per_class == (round(1.25 / 3, 6), 0.0)
    assert (actual.queries, actual.singletons) == (5, 1)


def test_the_divisor_is_r_and_not_the_number_of_hits():
    """Musgrave et al., section 3.2: one hit, at rank 1 of R = 10, is 0.1; average precision would say 1."""
    places = [0.0, 1.0, *(2.0 + i for i in range(9)), *(100.0 + i for i in range(9))]
    labels = [0, 0, *range(1, 10), *[0] * 9]
    rows = torch.tensor(places).unsqueeze(1)
    assert naive(rows, labels, distance="euclidean")[0][0] == Fraction(1, 10)
    assert_equals_naive(scores(rows, torch.tensor(labels), distance="euclidean"), rows, labels, distance="euclidean")


def test_separate_classes_are_perfect_and_ties_follow_the_lower_number():
    rows = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert scores(rows, torch.tensor([0, 0, 1, 1]), distance="cosine").map_at_r == 1.0
    same = scores(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]), distance="cosine")
    assert same.map_at_r == 0.5  # items 0 and 1 meet each other first, items 2 and 3 meet item 0


def test_singletons_stand_in_the_way():
    rows = torch.tensor([[0.0], [1.0], [2.0]])
    assert scores(rows, torch.tensor([4, 9, 4]), distance="euclidean").map_at_r == 0.0


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ["unbalanced", "tied", "duplicated"])
def test_tiles_and_threads_move_nothing(name, distance):
    rows, labels = DATA[name]
    expected = scores(rows, torch.tensor(labels), distance=distance)
    for size, threads in ((1, 1), (7, 2), (33, 1)):
        torch.set_num_threads(threads)
        tiles = Tiles(rows=size, columns=size, mirror=0, pairs=2**20, numbers=2**16)
        assert scores_in_tiles(rows, torch.tensor(labels), distance=distance, tiles=tiles) == expected


@pytest.mark.parametrize("distance", DISTANCES)
def test_agrees_with_pytorch_metric_learning(distance):
    kind = torch.arange(400) % 23
    rows = normal(23, 16)[kind] + normal(400, 16)
    actual = scores(rows, kind, distance=distance)
    flat = torch.nn.functional.normalize(rows) if distance == "cosine" else rows
    wanted = ("mean_average_precision_at_r", "r_precision", "precision_at_1")
    calculator = AccuracyCalculator(include=wanted, k="max_bin_count", device=torch.device("cpu"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_metric_learning")
        warnings.filterwarnings("ignore", module="faiss")
        theirs = calculator.get_accuracy(flat, kind)
    ours = (actual.map_at_r, actual.r_precision, actual.precision_at_1)
    assert ours == pytest.approx([theirs[name] for name in wanted], abs=1e-6)


def test_the_public_face_takes_tensors_and_arrays():
    rows, labels = DATA["unbalanced"]
    full = scores(rows, torch.tensor(labels), distance="cosine")
    expected = {name: getattr(full, name) for name in ("map_at_r", "r_precision", "precision_at_1")}
    array, numbers = rows.numpy().copy(), np.array(labels, dtype=np.int32)
    array.setflags(write=False)
    assert metrics.retrieval_scores(rows, torch.tensor(labels), distance="cosine") == expected
    assert metrics.retrieval_scores(array, numbers, distance="cosine") == expected
    backwards = metrics.retrieval_scores(array[::-1], numbers[::-1], distance="cosine")
    assert backwards == pytest.approx(expected, abs=1e-12)


def test_to_json_holds_what_a_record_holds():
    rows, labels = DATA["unbalanced"]
    actual = scores(rows, torch.tensor(labels), distance="cosine")
    body = actual.to_json()
    assert list(body) == ["map_at_r", "r_precision", "precision_at_1", "map_at_r_per_class"]
    assert len(body["map_at_r_per_class"]) == 5
    assert all(value == round(value, 6) for value in body["map_at_r_per_class"])


def test_takes_embeddings_that_require_gradients():
    rows, kind = normal(60, 6), torch.arange(60) % 6
    assert scores(torch.nn.Parameter(rows), kind, distance="cosine") == scores(rows, kind, distance="cosine")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), distance=st.sampled_from(DISTANCES))
def test_the_order_of_the_items_does_not_matter_without_ties(seed, distance):
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(24, 5)), rng.integers(0, 6, 24)
    order = rng.permutation(24)
    actual = metrics.retrieval_scores(rows, labels, distance=distance)
    moved = metrics.retrieval_scores(rows[order], labels[order], distance=distance)
    assert moved == pytest.approx(actual, abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (14, 3), elements=st.floats(-8, 8, width=16)),
    powers=arrays.arrays(np.int8, 14, elements=st.integers(-8, 8)),
)
def test_cosine_ignores_the_length_of_rows(rows, powers):
    """Powers of two scale exactly, so even ties survive."""
    labels = np.arange(14) % 4
    scaled = rows * np.exp2(powers.astype(np.float32))[:, None]
    actual = metrics.retrieval_scores(rows, labels, distance="cosine")
    assert metrics.retrieval_scores(scaled, labels, distance="cosine") == actual
    assert all(0 <= value <= 1 and math.isfinite(value) for value in actual.values())


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (14, 2), elements=st.integers(-3, 3).map(float)),
    labels=arrays.arrays(np.int64, 14, elements=st.integers(0, 5)),
)
def test_any_grid_equals_the_double_loop(rows, labels):
    """Small whole numbers: the double loop is exact, so the order among ties is the only question."""
    actual = scores(torch.from_numpy(rows), torch.from_numpy(labels), distance="euclidean")
    assert_equals_naive(actual, rows, labels.tolist(), distance="euclidean")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_a_gpu_gives_the_same_bits(name, distance):
    rows, labels = DATA[name]
    kind = torch.tensor(labels)
    assert scores(rows.cuda(), kind.cuda(), distance=distance) == scores(rows, kind, distance=distance)


def test_refusals_say_what_must_hold():
    rows = normal(4, 3)
    with pytest.raises(InputError, match=r"\[labels-without-pairs\]"):
        scores(rows, torch.arange(4), distance="cosine")
    with pytest.raises(InputError, match=r"\[labels-type\]"):
        scores(rows, torch.zeros(4), distance="cosine")
    with pytest.raises(InputError, match=r"\[labels-shape\]"):
        scores(rows, torch.zeros(5, dtype=torch.int64), distance="cosine")
    with pytest.raises(InputError, match=r"\[embeddings-not-finite\]"):
        scores(rows * torch.nan, torch.zeros(4, dtype=torch.int64), distance="cosine")
    with pytest.raises(InputError, match=r"\[distance-unknown\]"):
        metrics.retrieval_scores(rows, torch.zeros(4, dtype=torch.int64), distance="manhattan")
