"""The menu of losses: one entry per loss, readable without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class LossEntry:
    """A loss of the menu.

    Args:
        address: `module:Class` of the `nn.Module`.
        distance: distance of its embeddings; scores under this distance are primary.
        family: `pairs` compare images of one batch, `proxies` images with learned class vectors. It selects the batch
            shape.
        reference: the paper.
        status: `exact` follows the authors' formula or code, `variant` differs from it as documented, `reconstruction`
            fills gaps of a paper without published code.
        least_per_class: smallest number of images of a class in a batch with which the loss has a gradient.
        wraps: family of the losses that a wrapper takes; distance, family and needs are those of the wrapped loss.
        form_of: the loss of the menu of which it is a form; published numbers of that loss are shown beside it.
    """

    address: str
    distance: Literal["cosine", "euclidean"]
    family: Literal["pairs", "proxies"]
    reference: str
    status: Literal["exact", "variant", "reconstruction"]
    least_per_class: int = 1
    wraps: Literal["pairs", "proxies"] | None = None
    form_of: str | None = None


_STATUSES = ("exact", "variant", "reconstruction")

_HERE = "realitycheck.losses.members"

MENU: dict[str, LossEntry] = {
    "contrastive": LossEntry(f"{_HERE}.contrastive:Contrastive", "cosine", "pairs", "Hadsell et al., 2006", "variant"),
    "triplet": LossEntry(f"{_HERE}.triplet:Triplet", "cosine", "pairs", "Schroff et al., 2015", "variant"),
    "multi_similarity": LossEntry(
        f"{_HERE}.multi_similarity:MultiSimilarity", "cosine", "pairs", "Wang et al., 2019", "variant"
    ),
    "normalized_softmax": LossEntry(
        f"{_HERE}.normalized_softmax:NormalizedSoftmax", "cosine", "proxies", "Zhai and Wu, 2019", "exact"
    ),
    "proxy_nca_pp": LossEntry(
        f"{_HERE}.proxy_nca_pp:ProxyNCAPlusPlus", "cosine", "proxies", "Teh et al., 2020", "exact"
    ),
    "cosface": LossEntry(f"{_HERE}.cosface:CosFace", "cosine", "proxies", "Wang et al., 2018", "exact"),
    "arcface": LossEntry(f"{_HERE}.arcface:ArcFace", "cosine", "proxies", "Deng et al., 2019", "exact"),
    "arcface_periodic": LossEntry(
        f"{_HERE}.arcface_periodic:ArcFacePeriodic",
        "cosine",
        "proxies",
        "Deng et al., 2019",
        "variant",
        form_of="arcface",
    ),
    "soft_triple": LossEntry(f"{_HERE}.soft_triple:SoftTriple", "cosine", "proxies", "Qian et al., 2019", "exact"),
    "euclidean_softmax": LossEntry(
        f"{_HERE}.euclidean_softmax:EuclideanSoftmax", "euclidean", "proxies", "DeMoor and Prevost, 2024", "exact"
    ),
    "warped_softmax": LossEntry(
        f"{_HERE}.warped_softmax:WarpedSoftmax", "euclidean", "proxies", "DeMoor and Prevost, 2024", "exact"
    ),
    "contrastive_squared": LossEntry(
        f"{_HERE}.contrastive_squared:ContrastiveSquared",
        "cosine",
        "pairs",
        "Hadsell et al., 2006",
        "variant",
        least_per_class=2,
    ),
    "contrastive_cosine": LossEntry(
        f"{_HERE}.contrastive_cosine:ContrastiveCosine",
        "cosine",
        "pairs",
        "Ramzi et al., 2021",
        "exact",
        least_per_class=2,
    ),
    "triplet_batch_hard": LossEntry(
        f"{_HERE}.triplet_batch_hard:TripletBatchHard",
        "cosine",
        "pairs",
        "Hermans et al., 2017",
        "variant",
        least_per_class=2,
    ),
    "triplet_semihard": LossEntry(
        f"{_HERE}.triplet_semihard:TripletSemihard",
        "cosine",
        "pairs",
        "Schroff et al., 2015",
        "variant",
        least_per_class=2,
    ),
    "triplet_distance_weighted": LossEntry(
        f"{_HERE}.triplet_distance_weighted:TripletDistanceWeighted",
        "cosine",
        "pairs",
        "Wu et al., 2017",
        "variant",
        least_per_class=2,
    ),
    "n_pair": LossEntry(f"{_HERE}.n_pair:NPair", "cosine", "pairs", "Sohn, 2016", "exact", least_per_class=2),
    "lifted_structure": LossEntry(
        f"{_HERE}.lifted_structure:LiftedStructure",
        "euclidean",
        "pairs",
        "Song et al., 2016",
        "exact",
        least_per_class=2,
    ),
    "generalized_lifted": LossEntry(
        f"{_HERE}.generalized_lifted:GeneralizedLifted",
        "euclidean",
        "pairs",
        "Hermans et al., 2017",
        "exact",
        least_per_class=2,
    ),
    "nt_xent": LossEntry(
        f"{_HERE}.nt_xent:NTXent", "cosine", "pairs", "Chen et al., 2020", "variant", least_per_class=2
    ),
    "sup_con": LossEntry(
        f"{_HERE}.sup_con:SupCon", "cosine", "pairs", "Khosla et al., 2020", "exact", least_per_class=2
    ),
    "multi_similarity_mined": LossEntry(
        f"{_HERE}.multi_similarity_mined:MultiSimilarityMined",
        "cosine",
        "pairs",
        "Wang et al., 2019",
        "exact",
        least_per_class=2,
    ),
    "circle": LossEntry(f"{_HERE}.circle:Circle", "cosine", "pairs", "Sun et al., 2020", "exact", least_per_class=2),
    "margin": LossEntry(f"{_HERE}.margin:Margin", "cosine", "pairs", "Wu et al., 2017", "variant", least_per_class=2),
    "margin_per_class": LossEntry(
        f"{_HERE}.margin_per_class:MarginPerClass", "cosine", "pairs", "Wu et al., 2017", "variant", least_per_class=2
    ),
    "snr_contrastive": LossEntry(
        f"{_HERE}.snr_contrastive:SNRContrastive",
        "euclidean",
        "pairs",
        "Yuan et al., 2019",
        "exact",
        least_per_class=2,
    ),
    "snr_contrastive_normalized": LossEntry(
        f"{_HERE}.snr_contrastive_normalized:SNRContrastiveNormalized",
        "cosine",
        "pairs",
        "Yuan et al., 2019",
        "variant",
        least_per_class=2,
    ),
    "cbml": LossEntry(f"{_HERE}.cbml:CBML", "cosine", "pairs", "Kan et al., 2022", "exact", least_per_class=2),
    "contextual": LossEntry(
        f"{_HERE}.contextual:Contextual", "cosine", "pairs", "Liao et al., 2023", "exact", least_per_class=2
    ),
    "cross_batch_memory": LossEntry(
        f"{_HERE}.cross_batch_memory:CrossBatchMemory", "cosine", "pairs", "Wang et al., 2020", "exact", wraps="pairs"
    ),
    "moco": LossEntry(f"{_HERE}.moco:MoCo", "cosine", "pairs", "He et al., 2020", "variant"),
    "cross_entropy": LossEntry(
        f"{_HERE}.cross_entropy:CrossEntropy", "cosine", "proxies", "Boudiaf et al., 2020", "exact"
    ),
    "cosine_cross_entropy": LossEntry(
        f"{_HERE}.cosine_cross_entropy:CosineCrossEntropy", "cosine", "proxies", "Wang et al., 2017", "variant"
    ),
    "proxy_nca": LossEntry(
        f"{_HERE}.proxy_nca:ProxyNCA", "cosine", "proxies", "Movshovitz-Attias et al., 2017", "exact"
    ),
    "proxy_anchor": LossEntry(f"{_HERE}.proxy_anchor:ProxyAnchor", "cosine", "proxies", "Kim et al., 2020", "exact"),
    "circle_class": LossEntry(f"{_HERE}.circle_class:CircleClass", "cosine", "proxies", "Sun et al., 2020", "exact"),
    "l2_softmax": LossEntry(f"{_HERE}.l2_softmax:L2Softmax", "cosine", "proxies", "Ranjan et al., 2017", "exact"),
    "large_margin_softmax": LossEntry(
        f"{_HERE}.large_margin_softmax:LargeMarginSoftmax", "cosine", "proxies", "Liu et al., 2016", "variant"
    ),
    "sphereface": LossEntry(f"{_HERE}.sphereface:SphereFace", "cosine", "proxies", "Liu et al., 2017", "exact"),
    "sphereface_r": LossEntry(f"{_HERE}.sphereface_r:SphereFaceR", "cosine", "proxies", "Liu et al., 2022", "exact"),
    "magface": LossEntry(f"{_HERE}.magface:MagFace", "cosine", "proxies", "Meng et al., 2021", "exact"),
    "sgsl": LossEntry(f"{_HERE}.sgsl:SGSL", "cosine", "proxies", "Yang et al., 2023", "exact"),
    "proxy_gml": LossEntry(f"{_HERE}.proxy_gml:ProxyGML", "cosine", "proxies", "Zhu et al., 2020", "exact"),
    "ccl": LossEntry(f"{_HERE}.ccl:CCL", "cosine", "proxies", "Cai et al., 2023", "reconstruction"),
    "hierarchical_proxy": LossEntry(
        f"{_HERE}.hierarchical_proxy:HierarchicalProxy",
        "cosine",
        "proxies",
        "Yang et al., 2022",
        "reconstruction",
        wraps="proxies",
    ),
    "ibc": LossEntry(f"{_HERE}.ibc:IBC", "cosine", "pairs", "Seidenschwarz et al., 2021", "exact"),
    "hist": LossEntry(f"{_HERE}.hist:HIST", "cosine", "pairs", "Lim et al., 2022", "exact"),
    "fast_ap": LossEntry(
        f"{_HERE}.fast_ap:FastAP", "cosine", "pairs", "Cakir et al., 2019", "exact", least_per_class=2
    ),
    "listwise_ap": LossEntry(
        f"{_HERE}.listwise_ap:ListwiseAP", "cosine", "pairs", "Revaud et al., 2019", "exact", least_per_class=2
    ),
    "smooth_ap": LossEntry(
        f"{_HERE}.smooth_ap:SmoothAP", "cosine", "pairs", "Brown et al., 2020", "exact", least_per_class=2
    ),
    "blackbox_ap": LossEntry(
        f"{_HERE}.blackbox_ap:BlackboxAP", "cosine", "pairs", "Rolínek et al., 2020", "variant", least_per_class=2
    ),
    "recall_at_k": LossEntry(
        f"{_HERE}.recall_at_k:RecallAtK", "cosine", "pairs", "Patel et al., 2022", "exact", least_per_class=2
    ),
    "roadmap": LossEntry(
        f"{_HERE}.roadmap:Roadmap", "cosine", "pairs", "Ramzi et al., 2021", "exact", least_per_class=2
    ),
    "softmax_ablation": LossEntry(
        f"{_HERE}.softmax_ablation:SoftmaxAblation",
        "euclidean",
        "proxies",
        "DeMoor and Prevost, 2024",
        "reconstruction",
    ),
    "threshold_consistent_margin": LossEntry(
        f"{_HERE}.threshold_consistent_margin:ThresholdConsistentMargin",
        "cosine",
        "pairs",
        "Zhang et al., 2024",
        "exact",
        least_per_class=2,
        wraps="pairs",
    ),
}
"""Name → entry. A study can use any other class by its address."""

_WRAPPED = re.compile(r"([^()]+)\(([^()]+)\)")


def parts(name: str) -> tuple[str, ...]:
    """Split `wrapper(name)` into its two names; a plain name is returned alone."""
    match = _WRAPPED.fullmatch(name)
    return match.groups() if match else (name,)


def entry(name: str) -> LossEntry | None:
    """Return the entry of a loss, wrapped or not; None if a part of the name is not on the menu."""
    outer, *inner = (MENU.get(part) for part in parts(name))
    if outer is None or None in inner:
        return None
    return _wrapped(outer, inner[0]) if inner and inner[0] else outer


def _wrapped(outer: LossEntry, inner: LossEntry) -> LossEntry:
    worst = max((outer.status, inner.status), key=_STATUSES.index)
    return replace(inner, reference=f"{outer.reference}; {inner.reference}", status=worst)
