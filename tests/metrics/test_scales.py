"""Rows that defeat float32 products: the order of a double loop, and a bound on the work, which is counted."""

import numpy as np
import pytest
import torch

from realitycheck.metrics.neighbors.points import Points, prepare
from realitycheck.metrics.neighbors.scales import scales
from realitycheck.metrics.neighbors.search import nearest

COUNT, K = 600, 5

MOST_LISTED = 2 * (256 + 4 * K)
"""Bound on the listed pairs of a query: the limits of both kinds of shortlists, the larger of which is random."""


def normal(dims, seed=0):
    return torch.randn(COUNT, dims, generator=torch.Generator().manual_seed(seed))


def one_far(factor):
    rows = normal(16).double()
    rows[17] *= factor
    return rows


def two_scales():
    rows = normal(16).double()
    rows[::2] *= 1e6
    return rows


def two_clusters():
    rows = normal(16).double()
    rows[:, 0] += 1e9 * (1 - 2 * (torch.arange(COUNT) % 2))
    return rows


def many_scales():
    return normal(3).double() * 2.0 ** -torch.arange(COUNT, dtype=torch.float64)[:, None]


HARD = {
    "one far row": one_far(1e6),
    "one very far row": one_far(1e30),
    "one far row among denormals": one_far(1e6) * 1e-310,
    "one row among denormals": torch.cat([normal(16)[:1], normal(16)[1:] * 1e-40]),
    "two scales": two_scales(),
    "two clusters": two_clusters(),
    "many scales": many_scales(),
    "half zeros": normal(16) * (torch.arange(COUNT) % 2)[:, None],
    "equal rows": normal(16)[:1].repeat(COUNT, 1),
    "zeros": torch.zeros(COUNT, 4),
    "equal distances": torch.eye(COUNT),
    "on a line": 1.0 + torch.arange(COUNT)[:, None] / 2**20,
}


def naive(rows, distance):
    """Nearest others by NumPy's float64 keys of the prepared rows, ties by the lower number."""
    exact = prepare(rows, distance=distance).exact.numpy()
    result = []
    for number, row in enumerate(exact):
        keys = folded(-row * exact if distance == "cosine" else (row - exact) ** 2)
        keys[number] = np.inf
        result.append(np.argsort(keys, kind="stable")[:K])
    return np.array(result)


def folded(terms):
    """Sums of rows by adding the second half to the first, and an odd last one to the first."""
    while terms.shape[1] > 1:
        half, odd = divmod(terms.shape[1], 2)
        shorter = terms[:, :half] + terms[:, half : 2 * half]
        if odd:
            shorter[:, 0] += terms[:, -1]
        terms = shorter
    return terms[:, 0].copy()


@pytest.fixture
def work(monkeypatch):
    """Counts of float64 keys: of listed pairs, and of queries that are compared with all."""
    done = {"pairs": 0, "queries": 0}
    keys, keys_to_all = Points.keys, Points.keys_to_all

    def counted(self, rows, others):
        done["pairs"] += len(rows)
        return keys(self, rows, others)

    def counted_to_all(self, rows):
        done["queries"] += len(rows)
        return keys_to_all(self, rows)

    monkeypatch.setattr(Points, "keys", counted)
    monkeypatch.setattr(Points, "keys_to_all", counted_to_all)
    return done


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("name", HARD)
def test_order_and_work_of_hard_rows(name, distance, work):
    rows = HARD[name]
    np.testing.assert_array_equal(nearest(rows, k=K, distance=distance).numpy(), naive(rows, distance))
    assert work["queries"] <= COUNT
    assert work["pairs"] <= COUNT * MOST_LISTED


@pytest.mark.parametrize("factor", [1e4, 1e6, 1e12, 1e30])
def test_one_far_row_costs_no_more_than_itself(factor, work):
    nearest(one_far(factor), k=K, distance="euclidean")
    assert work["queries"] <= 1
    assert work["pairs"] <= 300


def test_rows_of_one_scale_are_not_divided():
    points = prepare(normal(16), distance="euclidean")
    (only,) = scales(points, wanted=torch.full((COUNT,), K))
    assert only.queries == COUNT
    assert only.row.tolist() == list(range(COUNT))


def test_every_query_is_in_one_scale():
    wanted = (COUNT - torch.arange(COUNT)) // 2
    parts = list(scales(prepare(HARD["many scales"], distance="euclidean"), wanted=wanted))
    assert len(parts) > 3
    asked = torch.cat([part.row[: part.queries] for part in parts])
    assert sorted(asked.tolist()) == (wanted > 0).nonzero().flatten().tolist()
    assert all((wanted[part.row[: part.queries]] < len(part.row)).all() for part in parts)
