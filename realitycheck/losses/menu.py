"""The menu of losses: one line per loss, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """What the house says of one loss.

    Args:
        address: `module:Class` of the `nn.Module`.
        distance: the distance under which its embeddings are meant to be compared; its scores are primary.
        family: `pairs` compare images of one batch, `proxies` images with learned class vectors; it sets the
            batch shape.
        reference: the paper.
        status: `exact` follows the authors' formula, `variant` a named departure from it.
    """

    address: str
    distance: Literal["cosine", "euclidean"]
    family: Literal["pairs", "proxies"]
    reference: str
    status: Literal["exact", "variant"]


_HERE = "realitycheck.losses"

MENU: dict[str, Entry] = {
    "contrastive": Entry(f"{_HERE}.contrastive:Contrastive", "cosine", "pairs", "Hadsell et al., 2006", "variant"),
    "triplet": Entry(f"{_HERE}.triplet:Triplet", "cosine", "pairs", "Schroff et al., 2015", "variant"),
    "multi_similarity": Entry(
        f"{_HERE}.multi_similarity:MultiSimilarity", "cosine", "pairs", "Wang et al., 2019", "variant"
    ),
    "normalized_softmax": Entry(
        f"{_HERE}.normalized_softmax:NormalizedSoftmax", "cosine", "proxies", "Zhai and Wu, 2019", "exact"
    ),
}
"""Name → entry. A study may use any other class by its address."""
