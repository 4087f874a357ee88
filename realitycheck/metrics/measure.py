"""The scores of embeddings that a score record holds: those of every record, and those that a protocol asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from realitycheck.metrics.menu import ASKED, MetricEntry
from realitycheck.metrics.retrieval import scores


def measure(
    embeddings: Tensor,
    labels: Tensor,
    *,
    extra: Mapping[str, Any],
    distance: str,
    between: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Measure embeddings (N, D) with labels (N,) under one distance.

    Args:
        embeddings: (N, D) finite floating-point numbers.
        labels: (N,) integers.
        extra: `scores` of a protocol as plain JSON; empty for nothing beside the scores of every record.
        distance: `cosine` or `euclidean`.
        between: called after each block of queries, and after each further score.

    Returns:
        Name in records → score in [0, 1], and `map_at_r_per_class`.
    """
    values = scores(embeddings, labels, distance=distance, between=between).to_json()
    for option, entry in ASKED.items():
        if extra.get(option):
            values |= _measured(entry, embeddings, labels, extra=extra[option], distance=distance)
            if between is not None:
                between()
    return values


def _measured(entry: MetricEntry, embeddings: Tensor, labels: Tensor, *, extra: Any, distance: str) -> dict[str, float]:
    function = entry.load()
    if not entry.least_k:
        return {entry.key: function(embeddings, labels, distance=distance)}
    values = function(embeddings, labels, ks=extra, distance=distance)
    return {entry.key.format(k=k): values[k] for k in extra}
