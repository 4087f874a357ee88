"""What is measured of embeddings: the scores of every record, and those that a protocol asks for beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from realitycheck.metrics import nmi, recall_at_k
from realitycheck.metrics.retrieval import scores
from realitycheck.runs import NMI, RECALL, Body


def measure(embeddings: Tensor, labels: Tensor, *, asked: Mapping[str, Any], distance: str) -> Body:
    """Name → score in [0, 1] of embeddings (N, D) with labels (N,); `asked` is the `scores` of a protocol, or empty."""
    found = scores(embeddings, labels, distance=distance).to_json()
    if ks := asked.get("recall_at"):
        recall = recall_at_k(embeddings, labels, ks=ks, distance=distance)
        found |= {f"{RECALL}{k}": share for k, share in recall.items()}
    if asked.get("nmi"):
        found[NMI] = nmi(embeddings, labels, distance=distance)
    return found
