"""Normalised mutual information (NMI) between the classes and the clusters of k-means.

    NMI = I(classes; clusters) / ((H(classes) + H(clusters)) / 2)

k-means computes as many clusters as there are classes, including singletons, by Euclidean distance: of the
L2-normalised rows for `cosine`, of the unchanged rows for `euclidean`. This is the usual definition (Oh Song et al.,
Deep Metric Learning via Lifted Structured Feature Embedding, CVPR 2016; `AccuracyCalculator` of
pytorch-metric-learning, which also uses faiss and scikit-learn). Unlike retrieval scores, NMI depends on random initial
centres. Two of them can remain in one class, so that even separated classes need not reach 1. All models use the same
seed.
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
"""Seed of the initial centres: the default of faiss, which published scores use."""

ITERATIONS = 25
"""Iterations of k-means: the default of faiss. Like the seed, they affect the score."""


def nmi(
    embeddings: Tensor | NDArray[np.floating[Any]], labels: Tensor | NDArray[np.integer[Any]], *, distance: str
) -> float:
    """Return the NMI in [0, 1] between the classes and the clusters of k-means, computed on the CPU.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers of up to 64 bits; equal labels are one class.
        distance: `cosine` or `euclidean`.

    Raises:
        InputError: if an argument is invalid, or no two items share a class.
    """
    from sklearn.metrics import normalized_mutual_info_score  # imported here, because the import takes seconds

    rows = as_tensor(embeddings)
    class_index, _ = classes(rows, as_tensor(labels))
    # `exact` is normalised with a fixed order of additions; its scaling by a power of two does not change the clusters.
    exact = prepare(rows, distance=distance).exact
    clusters = _clusters(exact.float().cpu().numpy(), count=int(class_index.max()) + 1)
    return float(normalized_mutual_info_score(class_index, clusters, average_method="arithmetic"))


def _clusters(rows: NDArray[np.float32], *, count: int) -> NDArray[np.int64]:
    """Return the cluster of each of N rows, out of `count`; faiss's limits on rows per cluster are disabled."""
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
    """Limit faiss to torch's number of threads, which the protocol sets; by default faiss uses every core."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(torch.get_num_threads())
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
