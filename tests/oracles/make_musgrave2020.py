"""Ask the code of Musgrave et al. (2020) what it computes, for tests/protocol/test_musgrave2020.py.

Run by hand, in an environment of its own (Python 3.11), and never by the tests:

    pip install torch "numpy<1.24" pandas scipy scikit-learn pytorch-metric-learning==0.9.92 record-keeper==0.9.29 \
        easy-module-attribute-getter==0.9.41
    pip install --no-deps powerful-benchmarker==0.9.33
    python tests/oracles/make_musgrave2020.py > tests/oracles/musgrave2020.json
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from types import SimpleNamespace

import record_keeper
import torch
from powerful_benchmarker.aggregators import MeanAggregator
from pytorch_metric_learning import __version__, losses, miners, regularizers
from pytorch_metric_learning.utils import common_functions
from pytorch_metric_learning.utils.logging_presets import HookContainer

CLASSES, DIMS = 5, 4
LABELS = [0, 0, 0, 1, 1, 2, 2, 3]
SIZES = {"num_classes": CLASSES, "embedding_size": DIMS}
METRIC = "mean_average_precision_at_r_level0"
INTERVALS = {"cub200": (2, 9), "cars196": (5, 14), "sop": (20, 39)}
"""Epochs between evaluations, and the patience in epochs; an epoch is 100 iterations."""


def points(count: int, seed: int) -> list[list[float]]:
    """Numbers of few digits, so that the file holds them exactly."""
    drawn = torch.randn(count, DIMS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return [[round(float(value), 2) for value in row] for row in drawn]


def soft_triple(centers, scale, gamma, margin, regularizer):
    weights = regularizers.SparseCentersRegularizer(CLASSES, centers)
    return losses.SoftTripleLoss(
        **SIZES, centers_per_class=centers, la=scale, gamma=gamma, margin=margin,
        weight_regularizer=weights, weight_reg_weight=regularizer,
    )  # fmt: skip


def snr(pos_margin, neg_margin, regularizer):
    return losses.SignalToNoiseRatioContrastiveLoss(
        pos_margin=pos_margin, neg_margin=neg_margin,
        embedding_regularizer=regularizers.ZeroMeanRegularizer(), embedding_reg_weight=regularizer,
    )  # fmt: skip


BUILD = {
    "contrastive": lambda pos_margin, neg_margin: losses.ContrastiveLoss(pos_margin=pos_margin, neg_margin=neg_margin),
    "triplet": lambda margin: losses.TripletMarginLoss(margin=margin),
    "nt_xent": lambda temperature: losses.NTXentLoss(temperature=temperature),
    "proxy_nca_pp": lambda scale: losses.ProxyNCALoss(**SIZES, softmax_scale=scale),
    "margin": lambda margin, beta: losses.MarginLoss(margin=margin, beta=beta, learn_beta=True),
    "margin_per_class": lambda margin, beta: losses.MarginLoss(
        margin=margin, beta=beta, learn_beta=True, num_classes=CLASSES
    ),
    "normalized_softmax": lambda temperature: losses.NormalizedSoftmaxLoss(**SIZES, temperature=temperature),
    "cosface": lambda margin, scale: losses.CosFaceLoss(**SIZES, margin=margin, scale=scale),
    "arcface_periodic": lambda margin, scale: losses.ArcFaceLoss(**SIZES, margin=margin, scale=scale),
    "fast_ap": lambda bins: losses.FastAPLoss(num_bins=bins),
    "snr_contrastive_normalized": snr,
    "multi_similarity": lambda alpha, beta, base: losses.MultiSimilarityLoss(alpha=alpha, beta=beta, base=base),
    "multi_similarity_mined": lambda alpha, beta, base, epsilon: losses.MultiSimilarityLoss(
        alpha=alpha, beta=beta, base=base
    ),
    "soft_triple": soft_triple,
}

SETTINGS = {
    "contrastive": [{"pos_margin": -0.2, "neg_margin": 0.384}, {"pos_margin": 0.3, "neg_margin": 1.1}],
    "triplet": [{"margin": 0.0961}, {"margin": 1.5}],
    "nt_xent": [{"temperature": 0.0219}, {"temperature": 1.0}],
    "proxy_nca_pp": [{"scale": 13.98}, {"scale": 0.5}],
    "margin": [{"margin": 0.0878, "beta": 0.784}, {"margin": 1.0, "beta": -0.1}],
    "margin_per_class": [{"margin": 0.0779, "beta": 0.98}],
    "normalized_softmax": [{"temperature": 0.109}, {"temperature": 10.0}],
    "cosface": [{"margin": 0.618, "scale": 100.0}, {"margin": 0.1, "scale": 2.0}],
    # Of the embeddings, one is at more than 130° to its class vector: with 60° and 90° it passes 180°.
    "arcface_periodic": [
        {"margin": 23.2, "scale": 100.0}, {"margin": 60.0, "scale": 3.0}, {"margin": 90.0, "scale": 1.0},
    ],
    "fast_ap": [{"bins": 17}, {"bins": 2}],
    "snr_contrastive_normalized": [
        {"pos_margin": 0.326, "neg_margin": 0.845, "regularizer": 0.138},
        {"pos_margin": 0.0, "neg_margin": 2.0, "regularizer": 0.0},
    ],
    "multi_similarity": [
        {"alpha": 0.01, "beta": 50.6, "base": 0.562}, {"alpha": 14.4, "beta": 75.8, "base": 0.662},
    ],
    "multi_similarity_mined": [
        {"alpha": 17.97, "beta": 75.66, "base": 0.776, "epsilon": 0.394},
        {"alpha": 7.5, "beta": 48.0, "base": 0.631, "epsilon": 0.05},
    ],
    "soft_triple": [
        {"centers": 3, "scale": 78.0, "gamma": 59.0, "margin": 0.431, "regularizer": 0.375},
        {"centers": 2, "scale": 17.7, "gamma": 0.1, "margin": 0.359, "regularizer": 0.067},
    ],
}  # fmt: skip


def case(name, knobs, seed):
    """A loss of two batches' embeddings: its value, and the gradient of embeddings and own parameters."""
    loss = BUILD[name](**knobs).double()
    own = next(iter(loss.parameters()), None)
    vectors = None
    if own is not None and own.dim() == 2:
        across = own.shape[0] == DIMS  # most of the package's class vectors are columns
        vectors = points(own.shape[1] if across else own.shape[0], seed + 50)
        with torch.no_grad():
            values = torch.tensor(vectors, dtype=torch.float64)
            own.copy_(values.T if across else values)
    rows = points(len(LABELS), seed)
    if vectors is not None and name == "arcface_periodic":
        rows[3] = [round(-1.2 * value + 0.1, 2) for value in vectors[LABELS[3]]]
    embeddings = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor(LABELS)
    mined = None
    if name == "multi_similarity_mined":
        mined = miners.MultiSimilarityMiner(epsilon=knobs["epsilon"])(embeddings, labels)
    value = loss(embeddings, labels, mined)
    value.backward()
    gradient = None if own is None else own.grad.T if vectors is not None and across else own.grad
    return {
        "loss": name, "knobs": knobs, "embeddings": rows, "vectors": vectors,
        "value": value.item(), "gradient": short(embeddings.grad),
        "own_gradient": None if gradient is None else short(gradient),
    }  # fmt: skip


def short(values):
    """Twelve digits are enough."""
    return [[float(f"{value:.12g}") for value in row] for row in values.reshape(-1, values.shape[-1])]


def initial(build, shape):
    """What new class vectors are: their spread, the share within one spread, and the largest in spreads."""
    torch.manual_seed(0)
    drawn = next(iter(build(*shape).parameters())).detach()
    spread = float(drawn.std())
    return {
        "classes": shape[0], "dims": shape[1], "mean": float(drawn.mean()), "std": spread,
        "within": float((drawn.abs() < spread).double().mean()), "largest": float(drawn.abs().max() / spread),
    }  # fmt: skip


INITIAL = {
    "proxy_nca_pp": lambda classes, dims: losses.ProxyNCALoss(classes, dims),
    "normalized_softmax": lambda classes, dims: losses.NormalizedSoftmaxLoss(classes, dims),
    "cosface": lambda classes, dims: losses.CosFaceLoss(classes, dims),
    "arcface_periodic": lambda classes, dims: losses.ArcFaceLoss(classes, dims),
    "soft_triple": lambda classes, dims: losses.SoftTripleLoss(classes, dims, centers_per_class=10),
    "proxy_anchor": lambda classes, dims: losses.ProxyAnchorLoss(classes, dims),
}


class Scripted:
    """A tester whose accuracies are read from a list instead of images."""

    label_hierarchy_level = 0
    dim_reduced_embeddings: dict = {}  # noqa: RUF012 - the package writes into its own

    def __init__(self, values, every, hooks):
        self.values, self.every, self.hooks, self.all_accuracies = values, every, hooks, {}
        self.accuracy_calculator = SimpleNamespace(get_curr_metrics=lambda: ["mean_average_precision_at_r"])

    def test(self, dataset_dict, epoch, trunk, embedder, splits_to_eval=None, collate_fn=None):
        value = -1.0 if epoch < 0 else self.values[epoch // self.every]
        self.all_accuracies = {split: {"epoch": epoch, METRIC: value} for split in splits_to_eval}
        self.hooks.end_of_testing_hook(self)

    def accuracies_keyname(self, metric, *, average, label_hierarchy_level):
        return f"{metric}_level{label_hierarchy_level}" if not average else f"AVERAGE_{metric}"

    def description_suffixes(self, name):
        return name


def stopping(values, dataset):
    """One training, as `BaseAPIParser.train` runs it, of a model that validates with these values."""
    every, patience = INTERVALS[dataset]
    with tempfile.TemporaryDirectory() as folder:
        writer = record_keeper.RecordWriter(folder=folder)
        keeper = record_keeper.RecordKeeper(record_writer=writer)
        hooks = HookContainer(keeper)
        tester = Scripted(values, every, hooks)
        nothing = {"trunk": torch.nn.Linear(1, 1), "embedder": torch.nn.Linear(1, 1)}
        trainer = SimpleNamespace(models=nothing, step_lr_plateau_schedulers=lambda value: None)
        for epoch in (-1, 0):  # the untrained trunk, and the untrained trunk with its embedder
            hooks.run_tester_separately(tester, {"val": None}, epoch, None, None, ["val"])
            keeper.save_records()
        hooks.save_models(trainer, folder, "best0")
        end_of_epoch = hooks.end_of_epoch_hook(tester, {"val": None}, folder, test_interval=every, patience=patience)
        for trainer.epoch in range(1, every * (len(values) - 1) + 1):
            if end_of_epoch(trainer) is False:
                break
        aggregator = MeanAggregator(split_to_aggregate="val")
        aggregator.update_accuracies("fold", ["val"], hooks, tester)
        selected, _ = common_functions.latest_version(folder, best=True)
        return {
            "dataset": dataset, "values": values, "iterations": 100 * trainer.epoch, "selected": 100 * selected,
            "counted": aggregator.meta_accuracies["val"]["trained"][METRIC]["fold"],
        }  # fmt: skip


VALUES = [
    [0.5, 0.4, 0.3, 0.45, 0.2, 0.1, 0.6, 0.7],
    [0.5, 0.4, 0.6, 0.3, 0.2, 0.1, 0.1, 0.1, 0.9],
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    [0.2, 0.3, 0.1, 0.1, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2],
    [0.3, 0.2, 0.31, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2],
]


def main():
    cases = [case(name, knobs, seed) for name in SETTINGS for seed, knobs in enumerate(SETTINGS[name])]
    found = {
        "made_by": "tests/oracles/make_musgrave2020.py",
        "versions": {"pytorch-metric-learning": __version__, "powerful-benchmarker": "0.9.33"},
        "labels": LABELS,
        "classes": CLASSES,
        "cases": cases,
        "initial": {name: initial(build, (200, 128)) for name, build in INITIAL.items()},
        "stopping": [stopping(values, dataset) for dataset in INTERVALS for values in VALUES],
    }
    assert all(math.isfinite(each["value"]) for each in cases)
    text = json.dumps(found)
    for key in ("cases", "initial", "stopping"):
        text = text.replace(f'"{key}": ', f'\n"{key}": ')
    sys.stdout.write(text.replace('{"loss"', '\n{"loss"').replace('{"dataset"', '\n{"dataset"') + "\n")


if __name__ == "__main__":
    main()
