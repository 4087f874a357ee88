"""Forward and backward of every loss on one thread, and of pytorch-metric-learning's version where it has one.

    python tests/benchmarks/bench_losses.py                        every loss
    python tests/benchmarks/bench_losses.py triplet contrastive    these

Aim: never slower, and at most half of its time in the median over losses and sizes.

The time is that of the processor, so that other processes on the machine disturb little. The two versions take turns
of a few steps each, and the fastest turn counts.
"""

from __future__ import annotations

import operator
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from pytorch_metric_learning import distances, losses, miners, regularizers
from torch import Tensor, nn

from realitycheck import losses as ours
from realitycheck.losses.base import Need
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import FOLLOWUP
from realitycheck.protocol.paper_settings import first_setting

CLASSES = 100
SIZES = [(32, 128), (32, 512), (256, 128), (256, 512)]
TURN, TURNS = 0.02, 15
"""Seconds of one turn, and turns of each version; a version that takes longer gets fewer turns."""

LONGEST = 20.0
"""Seconds for both versions at one size."""

Step = Callable[[], float]
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}

RAW = {"normalize_embeddings": False}
PEERS: dict[str, Callable[[int], nn.Module]] = {
    "contrastive": lambda d: losses.ContrastiveLoss(),
    "triplet": lambda d: losses.TripletMarginLoss(),
    "triplet_batch_hard": lambda d: _Mined(losses.TripletMarginLoss(), miners.BatchHardMiner()),
    "multi_similarity": lambda d: losses.MultiSimilarityLoss(),
    "multi_similarity_mined": lambda d: _Mined(losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()),
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


def main(names: Sequence[str]) -> None:
    """Print milliseconds of both and their ratio, a line per loss and size."""
    torch.set_num_threads(1)
    ratios = []
    print(f"{'loss':26}{'B':>4}{'D':>5}{'ours ms':>10}{'PML ms':>10}{'ratio':>8}")
    for name in names or MENU:
        wrapped = MENU[name].wraps
        full = f"{name}({WRAPPED[wrapped]})" if wrapped else name
        for batch, dims in SIZES:
            versions = [_ours(full, batch, dims)] + ([PEERS[name](dims)] if name in PEERS else [])
            seconds = _fastest([_stepper(version, batch, dims) for version in versions])
            ratios += [seconds[0] / seconds[1]] if len(seconds) == 2 else []
            peer = f"{1000 * seconds[1]:10.3f}{ratios[-1]:8.2f}" if len(seconds) == 2 else f"{'–':>10}{'–':>8}"
            print(f"{name:26}{batch:4}{dims:5}{1000 * seconds[0]:10.3f}{peer}", flush=True)
    slower = sum(ratio > 1 for ratio in ratios)
    if ratios:
        print(f"median ratio {statistics.median(ratios):.2f} of {len(ratios)} (aim: 0.5); slower in {slower} (aim: 0)")


def _fastest(versions: list[Step]) -> list[float]:
    """Return the seconds of a step of each version in its fastest turn."""
    first = [min(version() for _ in range(3)) for version in versions]
    steps = [max(1, int(TURN / seconds)) for seconds in first]
    turns = min(TURNS, int(LONGEST / sum(map(operator.mul, first, steps))))
    fastest = list(first)
    for _ in range(turns):
        for place, version in enumerate(versions):
            turn = statistics.fmean(version() for _ in range(steps[place]))
            fastest[place] = min(fastest[place], turn)
    return fastest


def _ours(name: str, batch: int, dims: int) -> nn.Module:
    published = first_setting(name, None)
    assert published is not None
    knobs = {knob: value for knob, value in published.items() if not knob.startswith(FOLLOWUP)}
    loss = ours.build(name, num_classes=CLASSES, embedding_dim=dims, **knobs)
    return _WithKeys(loss, torch.randn(batch, dims)) if Need.KEYS in getattr(loss, "needs", ()) else loss


class _WithKeys(nn.Module):
    """A loss that also reads keys, with the same keys at every step."""

    def __init__(self, loss: nn.Module, keys: Tensor) -> None:
        super().__init__()
        self.loss, self.keys = loss, keys

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return self.loss(embeddings, labels, keys=self.keys)


class _Mined(nn.Module):
    """A loss on the pairs of a miner."""

    def __init__(self, loss: nn.Module, miner: nn.Module) -> None:
        super().__init__()
        self.loss, self.miner = loss, miner

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return self.loss(embeddings, labels, self.miner(embeddings, labels))


def _stepper(loss: nn.Module, batch: int, dims: int) -> Step:
    """Return a function that takes one step and returns its seconds of the processor."""
    embeddings = torch.randn(batch, dims, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.arange(batch) // 4 % CLASSES

    def step() -> float:
        embeddings.grad = None
        loss.zero_grad()
        start = time.process_time()
        loss(embeddings, labels).backward()
        return time.process_time() - start

    return step


if __name__ == "__main__":
    main(sys.argv[1:])
