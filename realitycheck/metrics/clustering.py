"""How well clusters found without labels agree with the classes: NMI after k-means.

    NMI = I(classes; clusters) / ((H(classes) + H(clusters)) / 2)

k-means looks for as many clusters as there are classes, singletons among them, by Euclidean distance: of the
L2-normalised rows for `cosine`, of the rows as they are for `euclidean`. So it is done in the field (Oh Song et al.,
Deep Metric Learning via Lifted Structured Feature Embedding, CVPR 2016; pytorch-metric-learning's
AccuracyCalculator, which uses faiss and scikit-learn as well). Unlike the retrieval scores NMI hangs on a random start,
which may leave two centres in one class for good, so that even separate classes need not reach 1. Every model is given
the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.metrics.neighbors.points import prepare
from realitycheck.metrics.queries import as_tensor, classes

SEED = 1234
"""Of the first centres: faiss's own, which the field leaves as it is."""

ITERATIONS = 25
"""faiss's own number of rounds; like the seed it is part of the numbers."""


def nmi(
    embeddings: Tensor | NDArray[np.floating[Any]], labels: Tensor | NDArray[np.integer[Any]], *, distance: str
) -> float:
    """The normalised mutual information in [0, 1] between the classes and k-means' clusters, on the CPU.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: one of these does not hold, or no two items share a class.
    """
    from sklearn.metrics import normalized_mutual_info_score  # seconds, that a study without NMI need not wait

    rows = as_tensor(embeddings)
    kind, _ = classes(rows, as_tensor(labels))
    # `exact` is normalised in one order of additions; scaled by a power of two it has the same clusters.
    exact = prepare(rows, distance=distance).exact
    found = _clusters(exact.float().cpu().numpy(), count=int(kind.max()) + 1)
    return float(normalized_mutual_info_score(kind, found, average_method="arithmetic"))


def _clusters(rows: NDArray[np.float32], *, count: int) -> NDArray[np.int64]:
    """The cluster of each of N rows, of `count`; all rows are used, however many or few there are per cluster."""
    import faiss

    with _as_many_threads_as_torch():
        means = faiss.Kmeans(
            rows.shape[1],
            count,
            niter=ITERATIONS,
            nredo=1,
            seed=SEED,
            min_points_per_centroid=1,
            max_points_per_centroid=len(rows),
            gpu=False,
        )
        means.train(rows)
        _, nearest = means.index.search(rows, 1)
    return np.asarray(nearest[:, 0], dtype=np.int64)


@contextmanager
def _as_many_threads_as_torch() -> Iterator[None]:
    """A protocol pins torch's threads, not those of faiss, which by itself takes every core."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
