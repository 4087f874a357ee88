"""The whole order of all items, against a naive sort and against the neighbours that the scores use."""

import numpy as np
import pytest
import torch

from realitycheck.metrics.neighbors.search import nearest
from realitycheck.metrics.neighbors.whole_order import ranked


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_the_order_is_that_of_a_naive_sort(distance):
    rows = np.random.default_rng(3).standard_normal((40, 6))
    queries = (0, 17, 39)
    orders = ranked(torch.from_numpy(rows), queries=queries, distance=distance)
    for query, order in zip(queries, orders, strict=True):
        if distance == "cosine":
            unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            far = -(unit @ unit[query])
        else:
            far = ((rows - rows[query]) ** 2).sum(axis=1)
        assert order.tolist() == [item for item in np.argsort(far) if item != query]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_ties_go_to_the_lower_number_as_in_the_scores(distance):
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    order = ranked(rows, queries=(2, 3), distance=distance)
    assert order.tolist() == [[0, 4, 5, 1, 3], [1, 5, 0, 2, 4]]
    whole = nearest(rows, k=5, distance=distance)
    assert order.tolist() == whole[[2, 3]].tolist()
