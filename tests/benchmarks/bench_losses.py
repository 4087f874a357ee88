"""Forward and backward of every loss, on one thread, beside pytorch-metric-learning's where it has the same one.

Aim: never slower, and at most half its time in the median over losses and sizes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from pytorch_metric_learning import distances, losses, miners, regularizers
from torch import Tensor

from realitycheck import losses as ours
from realitycheck.losses.base import Need
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import FOLLOWUP
from realitycheck.protocol.paper_settings import first_setting

CLASSES, REPEATS = 100, 25
SIZES = [(32, 128), (32, 512), (256, 128), (256, 512)]
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}

RAW = {"normalize_embeddings": False}
PEERS: dict[str, Callable[[int], Callable[..., Tensor]]] = {
    "contrastive": lambda d: losses.ContrastiveLoss(),
    "triplet": lambda d: losses.TripletMarginLoss(),
    "triplet_batch_hard": lambda d: _mined(losses.TripletMarginLoss(), miners.BatchHardMiner()),
    "multi_similarity": lambda d: losses.MultiSimilarityLoss(),
    "multi_similarity_mined": lambda d: _mined(losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()),
    "normalized_softmax": lambda d: losses.NormalizedSoftmaxLoss(CLASSES, d),
    "proxy_nca_pp": lambda d: losses.ProxyNCALoss(CLASSES, d),
    "proxy_anchor": lambda d: losses.ProxyAnchorLoss(CLASSES, d),
    "cosface": lambda d: losses.CosFaceLoss(CLASSES, d),
    "arcface": lambda d: losses.ArcFaceLoss(CLASSES, d),
    "sphereface": lambda d: losses.SphereFaceLoss(CLASSES, d),
    "large_margin_softmax": lambda d: losses.LargeMarginSoftmaxLoss(CLASSES, d),
    "soft_triple": lambda d: losses.SoftTripleLoss(
        CLASSES, d, weight_regularizer=regularizers.SparseCentersRegularizer(CLASSES, 10)
    ),
    "circle": lambda d: losses.CircleLoss(),
    "margin": lambda d: losses.MarginLoss(learn_beta=True),
    "margin_per_class": lambda d: losses.MarginLoss(learn_beta=True, num_classes=CLASSES),
    "snr_contrastive": lambda d: losses.ContrastiveLoss(distance=distances.SNRDistance(**RAW)),
    "n_pair": lambda d: losses.NPairsLoss(
        distance=distances.DotProductSimilarity(**RAW),
        embedding_regularizer=regularizers.LpRegularizer(power=2),
        embedding_reg_weight=0.002,
    ),
    "lifted_structure": lambda d: losses.LiftedStructureLoss(distance=distances.LpDistance(**RAW)),
    "generalized_lifted": lambda d: losses.GeneralizedLiftedStructureLoss(distance=distances.LpDistance(**RAW)),
    "nt_xent": lambda d: losses.NTXentLoss(),
    "sup_con": lambda d: losses.SupConLoss(),
    "fast_ap": lambda d: losses.FastAPLoss(),
    "smooth_ap": lambda d: losses.SmoothAPLoss(),
}


def main() -> None:
    """Print milliseconds of both and their ratio, a line per loss and size."""
    torch.set_num_threads(1)
    ratios = []
    print(f"{'loss':26}{'B':>4}{'D':>5}{'ours ms':>10}{'PML ms':>10}{'ratio':>8}")
    for name, entry in MENU.items():
        full = f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name
        for batch, dims in SIZES:
            mine = _ours(full, batch, dims)
            theirs = PEERS[name](dims) if name in PEERS else None
            seconds = [(_step(mine, batch, dims), _step(theirs, batch, dims)) for _ in range(_repeats(batch))]
            one, other = (statistics.median(each) for each in zip(*seconds, strict=True))
            ratios += [one / other] if theirs else []
            peer = f"{1000 * other:10.2f}{one / other:8.2f}" if theirs else f"{'–':>10}{'–':>8}"
            print(f"{name:26}{batch:4}{dims:5}{1000 * one:10.2f}{peer}", flush=True)
    slower = sum(ratio > 1 for ratio in ratios)
    print(f"median ratio {statistics.median(ratios):.2f} over {len(ratios)} (aim: 0.5); slower in {slower} (aim: 0)")


def _repeats(batch: int) -> int:
    return REPEATS if batch < 100 else 9


def _ours(name: str, batch: int, dims: int) -> Callable[..., Tensor]:
    published = first_setting(name, None)
    assert published is not None
    knobs = {knob: value for knob, value in published.items() if not knob.startswith(FOLLOWUP)}
    loss = ours.build(name, num_classes=CLASSES, embedding_dim=dims, **knobs)
    keys = {Need.KEYS.value: torch.randn(batch, dims)} if Need.KEYS in getattr(loss, "needs", ()) else {}
    return lambda embeddings, labels: loss(embeddings, labels, **keys)


def _mined(loss: Callable[..., Tensor], miner: Callable[..., object]) -> Callable[..., Tensor]:
    return lambda embeddings, labels: loss(embeddings, labels, miner(embeddings, labels))


def _step(loss: Callable[..., Tensor] | None, batch: int, dims: int) -> float:
    if loss is None:
        return 0.0
    embeddings = torch.randn(batch, dims, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.arange(batch) // 4 % CLASSES
    start = time.perf_counter()
    loss(embeddings, labels).backward()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
