"""Against a double loop that sorts (float64 distance, number) pairs."""

from __future__ import annotations

import operator
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from realitycheck.errors import InputError
from realitycheck.metrics.neighbors.search import nearest, nearest_blocks
from realitycheck.metrics.neighbors.tiles import Tiles

DISTANCES = ("cosine", "euclidean")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def naive(rows, *, k, distance):
    """The first k others of each row, sorted as Python pairs of floats and numbers."""
    return all_sorted(tuple(map(tuple, rows.tolist())), distance)[:, :k]


@cache
def all_sorted(table, distance):
    if distance == "cosine":
        table = [[x / norm for x in row] if (norm := sum(x * x for x in row) ** 0.5) else row for row in table]
    result = []
    for i, a in enumerate(table):
        pairs = [(far(a, b, distance), j) for j, b in enumerate(table) if j != i]
        result.append([j for _, j in sorted(pairs)])
    return np.array(result)


def far(a, b, distance):
    if distance == "cosine":
        return -sum(map(operator.mul, a, b))
    return sum((x - y) * (x - y) for x, y in zip(a, b, strict=True))


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def whole(n, d, *, low, high, seed=0):
    return torch.randint(low, high, (n, d), generator=torch.Generator().manual_seed(seed)).float()


def signs(n, d):
    """±1 in 16 or 4 places: norms 4 and 2, so that unit rows and their products are exact and tie often."""
    rows = 2 * whole(n, d, low=0, high=2) - 1
    rows[::3, 4:] = 0
    return rows


def cut(size):
    return Tiles(rows=size, columns=size, mirror=0, pairs=2**20, numbers=2**16)


def in_tiles(rows, *, k, distance, tiles):
    wanted = torch.full((len(rows),), k)
    result = torch.empty(len(rows), k, dtype=torch.int64)
    for block in nearest_blocks(rows, wanted=wanted, kind=None, distance=distance, tiles=tiles):
        result[block.query] = block.nearest
    return result.numpy()


DATA = {
    "random": normal(90, 7),
    "wide": normal(60, 200),
    "crowded": 1 + 1e-4 * normal(90, 24),
    "duplicated": normal(12, 5).repeat(9, 1),
    "signs": signs(90, 16),
    "one dimension": normal(40, 1).abs() + 0.5,
    "outlier": torch.cat([normal(60, 8), torch.full((1, 8), 1e6)]),
    "with zero rows": torch.cat([torch.zeros(3, 4), signs(40, 16)[:, :4], torch.zeros(2, 4)]),
}
TIED = {"grid": whole(100, 2, low=-3, high=4), "binary": whole(120, 12, low=0, high=2)}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_equals_the_double_loop(name, distance):
    rows = DATA[name]
    for k in (1, 10, len(rows) - 1):
        actual = nearest(rows, k=k, distance=distance).numpy()
        np.testing.assert_array_equal(actual, naive(rows, k=k, distance=distance))


@pytest.mark.parametrize("name", TIED)
def test_breaks_ties_by_the_lower_number(name):
    rows = TIED[name]
    actual = nearest(rows, k=40, distance="euclidean").numpy()
    np.testing.assert_array_equal(actual, naive(rows, k=40, distance="euclidean"))


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_dead_embedding_lists_the_others_by_number(distance):
    actual = nearest(torch.full((400, 6), 0.1), k=3, distance=distance)
    assert actual[0].tolist() == [1, 2, 3]
    assert actual[2].tolist() == [0, 1, 3]
    assert actual[399].tolist() == [0, 1, 2]


@pytest.mark.parametrize("distance", DISTANCES)
def test_many_ties_among_few_distinct_rows(distance):
    rows = signs(9, 16).repeat(40, 1)
    actual = nearest(rows, k=5, distance=distance).numpy()
    keys = np.array([[far(a, b, distance) for b in rows[:9].tolist()] for a in unit(rows[:9], distance).tolist()])
    for i in (0, 1, 200, 359):
        all_keys = np.tile(keys[i % 9], 40).astype(float)
        all_keys[i] = np.inf
        np.testing.assert_array_equal(actual[i], np.argsort(all_keys, kind="stable")[:5])


def unit(rows, distance):
    return rows / rows.norm(dim=1, keepdim=True) if distance == "cosine" else rows


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ["random", "duplicated", "signs", "crowded"])
def test_tiles_and_threads_move_nothing(name, distance):
    rows = DATA[name]
    expected = naive(rows, k=9, distance=distance)
    for tile, threads in ((1, 1), (7, 2), (64, 1), (1000, 2)):
        torch.set_num_threads(threads)
        actual = in_tiles(rows, k=9, distance=distance, tiles=cut(tile))
        np.testing.assert_array_equal(actual, expected)


def test_each_query_gets_what_it_wants_and_no_other_row_is_asked():
    rows, wanted = normal(50, 6), torch.arange(50) % 7
    expected = naive(rows, k=6, distance="cosine")
    queried = []
    for block in nearest_blocks(rows, wanted=wanted, kind=None, distance="cosine", tiles=cut(8)):
        for query, actual in zip(block.query.tolist(), block.nearest.tolist(), strict=True):
            queried.append(query)
            assert actual[: wanted[query]] == expected[query][: wanted[query]].tolist()
    assert sorted(queried) == wanted.nonzero().flatten().tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types(dtype):
    rows = normal(40, 5).to(dtype)
    expected = naive(rows, k=8, distance="euclidean")
    np.testing.assert_array_equal(nearest(rows, k=8, distance="euclidean").numpy(), expected)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
@pytest.mark.parametrize("distance", DISTANCES)
def test_extreme_scales(factor, distance):
    rows = normal(60, 9).double()
    expected = naive(rows, k=20, distance=distance)
    np.testing.assert_array_equal(nearest(rows * factor, k=20, distance=distance).numpy(), expected)


def test_reduced_precision_of_the_caller_is_neither_used_nor_changed():
    rows, before = normal(300, 64), torch.get_float32_matmul_precision()
    expected = nearest(rows, k=20, distance="cosine")
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(nearest(rows, k=20, distance="cosine"), expected)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_precision_set_for_one_backend_is_kept():
    setting = torch.backends.cuda.matmul
    before = setting.fp32_precision
    setting.fp32_precision = "tf32"
    try:
        nearest(normal(30, 4), k=3, distance="cosine")
        assert setting.fp32_precision == "tf32"
    finally:
        setting.fp32_precision = before


@settings(max_examples=20, deadline=None)
@given(
    rows=arrays.arrays(np.float32, (13, 3), elements=st.floats(-4, 4, width=16)),
    seed=st.integers(0, 1000),
)
def test_keys_do_not_depend_on_the_order_of_the_rows(rows, seed):
    """Distances at each rank survive a permutation; numbers may not, where distances tie."""
    order = np.random.default_rng(seed).permutation(13)
    actual = nearest(torch.from_numpy(rows), k=12, distance="euclidean").numpy()
    moved = order[nearest(torch.from_numpy(rows[order]), k=12, distance="euclidean").numpy()]
    for place, i in enumerate(order):
        by_rank = [far(rows[i].tolist(), rows[j].tolist(), "euclidean") for j in actual[i]]
        assert by_rank == [far(rows[i].tolist(), rows[j].tolist(), "euclidean") for j in moved[place]]
        assert by_rank == sorted(by_rank)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", DATA)
def test_a_gpu_gives_the_same(name, distance):
    rows = DATA[name]
    actual = nearest(rows.cuda(), k=10, distance=distance).cpu().numpy()
    np.testing.assert_array_equal(actual, naive(rows, k=10, distance=distance))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_refuses_what_is_not_finite(bad):
    rows = normal(9, 3)
    rows[4, 1] = bad
    with pytest.raises(InputError, match=r"1 of 9 rows .*\[embeddings-not-finite\]"):
        nearest(rows, k=1, distance="cosine")


def test_refuses_other_bad_arguments():
    rows = normal(9, 3)
    for k in (-1, 0, 9):
        with pytest.raises(InputError, match=rf"k: {k} .*, 8\. \[k-range\]"):
            nearest(rows, k=k, distance="cosine")
    with pytest.raises(InputError, match=r"'dot'.*cosine or euclidean.*\[distance-unknown\]"):
        nearest(rows, k=1, distance="dot")
    with pytest.raises(InputError, match=r"\[embeddings-shape\]"):
        nearest(rows.long(), k=1, distance="cosine")
    with pytest.raises(InputError, match=r"\(0, 3\).*\[embeddings-shape\]"):
        nearest(rows[:0], k=1, distance="cosine")
