"""The menu of losses: one line per loss, readable without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
        status: `exact` follows the authors' formula, `variant` departs from it by name, `reconstruction` fills what no
            published formula or code tells.
        least_per_class: images of a class that a batch must hold for the loss to have anything to do.
        wraps: the family of the losses that a wrapper wraps, whose distance, family and needs it takes over.
    """

    address: str
    distance: Literal["cosine", "euclidean"]
    family: Literal["pairs", "proxies"]
    reference: str
    status: Literal["exact", "variant", "reconstruction"]
    least_per_class: int = 1
    wraps: Literal["pairs", "proxies"] | None = None


_STATUSES = ("exact", "variant", "reconstruction")

_HERE = "realitycheck.losses.members"

MENU: dict[str, Entry] = {
    "contrastive": Entry(f"{_HERE}.contrastive:Contrastive", "cosine", "pairs", "Hadsell et al., 2006", "variant"),
    "triplet": Entry(f"{_HERE}.triplet:Triplet", "cosine", "pairs", "Schroff et al., 2015", "variant"),
    "multi_similarity": Entry(
        f"{_HERE}.multi_similarity:MultiSimilarity", "cosine", "pairs", "Wang et al., 2019", "variant"
    ),
    "normalized_softmax": Entry(
        f"{_HERE}.normalized_softmax:NormalizedSoftmax", "cosine", "proxies", "Zhai and Wu, 2019", "exact"
    ),
    "proxy_nca_pp": Entry(f"{_HERE}.proxy_nca_pp:ProxyNCAPlusPlus", "cosine", "proxies", "Teh et al., 2020", "exact"),
    "cosface": Entry(f"{_HERE}.cosface:CosFace", "cosine", "proxies", "Wang et al., 2018", "exact"),
    "arcface": Entry(f"{_HERE}.arcface:ArcFace", "cosine", "proxies", "Deng et al., 2019", "exact"),
    "soft_triple": Entry(f"{_HERE}.soft_triple:SoftTriple", "cosine", "proxies", "Qian et al., 2019", "exact"),
    "euclidean_softmax": Entry(
        f"{_HERE}.euclidean_softmax:EuclideanSoftmax", "euclidean", "proxies", "DeMoor and Prevost, 2024", "exact"
    ),
    "warped_softmax": Entry(
        f"{_HERE}.warped_softmax:WarpedSoftmax", "euclidean", "proxies", "DeMoor and Prevost, 2024", "exact"
    ),
    "contrastive_squared": Entry(
        f"{_HERE}.contrastive_squared:ContrastiveSquared",
        "cosine",
        "pairs",
        "Hadsell et al., 2006",
        "variant",
        least_per_class=2,
    ),
    "contrastive_cosine": Entry(
        f"{_HERE}.contrastive_cosine:ContrastiveCosine",
        "cosine",
        "pairs",
        "Ramzi et al., 2021",
        "exact",
        least_per_class=2,
    ),
    "triplet_batch_hard": Entry(
        f"{_HERE}.triplet_batch_hard:TripletBatchHard",
        "cosine",
        "pairs",
        "Hermans et al., 2017",
        "variant",
        least_per_class=2,
    ),
    "triplet_semihard": Entry(
        f"{_HERE}.triplet_semihard:TripletSemihard",
        "cosine",
        "pairs",
        "Schroff et al., 2015",
        "variant",
        least_per_class=2,
    ),
    "triplet_distance_weighted": Entry(
        f"{_HERE}.triplet_distance_weighted:TripletDistanceWeighted",
        "cosine",
        "pairs",
        "Wu et al., 2017",
        "variant",
        least_per_class=2,
    ),
    "n_pair": Entry(f"{_HERE}.n_pair:NPair", "cosine", "pairs", "Sohn, 2016", "exact", least_per_class=2),
    "lifted_structure": Entry(
        f"{_HERE}.lifted_structure:LiftedStructure",
        "euclidean",
        "pairs",
        "Song et al., 2016",
        "exact",
        least_per_class=2,
    ),
    "generalized_lifted": Entry(
        f"{_HERE}.generalized_lifted:GeneralizedLifted",
        "euclidean",
        "pairs",
        "Hermans et al., 2017",
        "exact",
        least_per_class=2,
    ),
    "nt_xent": Entry(f"{_HERE}.nt_xent:NTXent", "cosine", "pairs", "Chen et al., 2020", "variant", least_per_class=2),
    "sup_con": Entry(f"{_HERE}.sup_con:SupCon", "cosine", "pairs", "Khosla et al., 2020", "exact", least_per_class=2),
    "multi_similarity_mined": Entry(
        f"{_HERE}.multi_similarity_mined:MultiSimilarityMined",
        "cosine",
        "pairs",
        "Wang et al., 2019",
        "exact",
        least_per_class=2,
    ),
    "circle": Entry(f"{_HERE}.circle:Circle", "cosine", "pairs", "Sun et al., 2020", "exact", least_per_class=2),
    "margin": Entry(f"{_HERE}.margin:Margin", "cosine", "pairs", "Wu et al., 2017", "variant", least_per_class=2),
    "margin_per_class": Entry(
        f"{_HERE}.margin_per_class:MarginPerClass", "cosine", "pairs", "Wu et al., 2017", "variant", least_per_class=2
    ),
    "snr_contrastive": Entry(
        f"{_HERE}.snr_contrastive:SNRContrastive",
        "euclidean",
        "pairs",
        "Yuan et al., 2019",
        "exact",
        least_per_class=2,
    ),
    "cbml": Entry(f"{_HERE}.cbml:CBML", "cosine", "pairs", "Kan et al., 2022", "exact", least_per_class=2),
    "contextual": Entry(
        f"{_HERE}.contextual:Contextual", "cosine", "pairs", "Liao et al., 2023", "exact", least_per_class=2
    ),
    "cross_batch_memory": Entry(
        f"{_HERE}.cross_batch_memory:CrossBatchMemory", "cosine", "pairs", "Wang et al., 2020", "exact", wraps="pairs"
    ),
    "moco": Entry(f"{_HERE}.moco:MoCo", "cosine", "pairs", "He et al., 2020", "variant"),
    "cross_entropy": Entry(f"{_HERE}.cross_entropy:CrossEntropy", "cosine", "proxies", "Boudiaf et al., 2020", "exact"),
    "cosine_cross_entropy": Entry(
        f"{_HERE}.cosine_cross_entropy:CosineCrossEntropy", "cosine", "proxies", "Wang et al., 2017", "variant"
    ),
    "proxy_nca": Entry(f"{_HERE}.proxy_nca:ProxyNCA", "cosine", "proxies", "Movshovitz-Attias et al., 2017", "exact"),
    "proxy_anchor": Entry(f"{_HERE}.proxy_anchor:ProxyAnchor", "cosine", "proxies", "Kim et al., 2020", "exact"),
    "circle_class": Entry(f"{_HERE}.circle_class:CircleClass", "cosine", "proxies", "Sun et al., 2020", "exact"),
    "l2_softmax": Entry(f"{_HERE}.l2_softmax:L2Softmax", "cosine", "proxies", "Ranjan et al., 2017", "exact"),
    "large_margin_softmax": Entry(
        f"{_HERE}.large_margin_softmax:LargeMarginSoftmax", "cosine", "proxies", "Liu et al., 2016", "variant"
    ),
    "sphereface": Entry(f"{_HERE}.sphereface:SphereFace", "cosine", "proxies", "Liu et al., 2017", "exact"),
    "sphereface_r": Entry(f"{_HERE}.sphereface_r:SphereFaceR", "cosine", "proxies", "Liu et al., 2022", "exact"),
    "magface": Entry(f"{_HERE}.magface:MagFace", "cosine", "proxies", "Meng et al., 2021", "exact"),
    "sgsl": Entry(f"{_HERE}.sgsl:SGSL", "cosine", "proxies", "Yang et al., 2023", "exact"),
    "proxy_gml": Entry(f"{_HERE}.proxy_gml:ProxyGML", "cosine", "proxies", "Zhu et al., 2020", "exact"),
    "ccl": Entry(f"{_HERE}.ccl:CCL", "cosine", "proxies", "Cai et al., 2023", "reconstruction"),
    "hierarchical_proxy": Entry(
        f"{_HERE}.hierarchical_proxy:HierarchicalProxy",
        "cosine",
        "proxies",
        "Yang et al., 2022",
        "reconstruction",
        wraps="proxies",
    ),
    "ibc": Entry(f"{_HERE}.ibc:IBC", "cosine", "pairs", "Seidenschwarz et al., 2021", "exact"),
    "hist": Entry(f"{_HERE}.hist:HIST", "cosine", "pairs", "Lim et al., 2022", "exact"),
    "fast_ap": Entry(f"{_HERE}.fast_ap:FastAP", "cosine", "pairs", "Cakir et al., 2019", "exact", least_per_class=2),
    "listwise_ap": Entry(
        f"{_HERE}.listwise_ap:ListwiseAP", "cosine", "pairs", "Revaud et al., 2019", "exact", least_per_class=2
    ),
    "smooth_ap": Entry(
        f"{_HERE}.smooth_ap:SmoothAP", "cosine", "pairs", "Brown et al., 2020", "exact", least_per_class=2
    ),
    "blackbox_ap": Entry(
        f"{_HERE}.blackbox_ap:BlackboxAP", "cosine", "pairs", "Rolínek et al., 2020", "variant", least_per_class=2
    ),
    "recall_at_k": Entry(
        f"{_HERE}.recall_at_k:RecallAtK", "cosine", "pairs", "Patel et al., 2022", "exact", least_per_class=2
    ),
    "roadmap": Entry(f"{_HERE}.roadmap:Roadmap", "cosine", "pairs", "Ramzi et al., 2021", "exact", least_per_class=2),
}
"""Name → entry. A study may use any other class by its address."""

_WRAPPED = re.compile(r"([^()]+)\(([^()]+)\)")


def parts(name: str) -> tuple[str, ...]:
    """The names in `name`: itself, or the wrapper and what it wraps in `wrapper(name)`."""
    match = _WRAPPED.fullmatch(name)
    return match.groups() if match else (name,)


def entry(name: str) -> Entry | None:
    """What the house says of a loss of the menu, wrapped or not; None where a part of the name is not on the menu."""
    outer, *inner = (MENU.get(part) for part in parts(name))
    if outer is None or None in inner:
        return None
    return _wrapped(outer, inner[0]) if inner and inner[0] else outer


def _wrapped(outer: Entry, inner: Entry) -> Entry:
    worst = max((outer.status, inner.status), key=_STATUSES.index)
    return replace(inner, reference=f"{outer.reference}; {inner.reference}", status=worst)
