"""The frozen study of `bench_study.py` as one would write it by hand: Optuna, pytorch-metric-learning and torchvision.

    python tests/benchmarks/plain_frozen_study.py TRAIN TEST SIZES     folders with one sub-folder per class; JSON

The features of the frozen trunk are computed once, and kept in memory. For every loss a search of some trials over
folds of the training classes, then heads of the best setting, scored on the test classes: alone, by fold, and joined,
under cosine and Euclidean distance as records of this package are; so are heads that are not trained, and the features.
The last line is JSON: the seconds that Euclidean scores of trained heads took, and those of all that is not trained. It
keeps no records, repeats no bit, and cannot be resumed.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import optuna
import torch
from pytorch_metric_learning import losses, samplers
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.WARNING)
CALCULATOR = AccuracyCalculator(
    include=("mean_average_precision_at_r", "r_precision", "precision_at_1"), k="max_bin_count"
)
SECOND, UNTRAINED = {"wall": 0.0, "processor": 0.0}, {"wall": 0.0, "processor": 0.0}


def trunk_of(width: int) -> nn.Module:
    """The frozen trunk: three convolutions with random weights."""
    return nn.Sequential(
        nn.Conv2d(1, width, 5, padding=2, bias=False),
        nn.MaxPool2d(4),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.Conv2d(2 * width, 8 * width, 5, bias=False),
        nn.BatchNorm2d(8 * width),
        nn.ReLU(),
    ).eval()


def head_of(features: int, dims: int) -> nn.Module:
    """The part that trains: a LayerNorm without parameters, and a linear layer."""
    return nn.Sequential(nn.LayerNorm(features, elementwise_affine=False), nn.Linear(features, dims))


def loss_of(name: str, knobs: dict[str, float], *, classes: int, dims: int) -> nn.Module:
    """A loss of pytorch-metric-learning."""
    if name == "contrastive":
        return losses.ContrastiveLoss(pos_margin=0.0, neg_margin=knobs["margin"])
    return losses.NormalizedSoftmaxLoss(classes, dims, temperature=knobs["temperature"])


def knobs_of(name: str, trial: optuna.Trial) -> dict[str, float]:
    """A proposal."""
    rate = {"lr": trial.suggest_float("lr", 1e-5, 1e-2, log=True)}
    if name == "contrastive":
        return {"margin": trial.suggest_float("margin", 0.1, 1.5), **rate}
    rates = {"loss_lr": trial.suggest_float("loss_lr", 1e-4, 1e-1, log=True), **rate}
    return {"temperature": trial.suggest_float("temperature", 0.01, 1.0, log=True), **rates}


def embed(model: nn.Module, features: torch.Tensor) -> torch.Tensor:
    """Embeddings of all images."""
    model.eval()
    with torch.inference_mode():
        embeddings = model(features)
    model.train()
    return embeddings


def score(embeddings: torch.Tensor, labels: torch.Tensor) -> float:
    """MAP@R under cosine distance."""
    unit = nn.functional.normalize(embeddings)
    return CALCULATOR.get_accuracy(unit, labels)["mean_average_precision_at_r"]


def scores(cosine: torch.Tensor, euclidean: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """MAP@R of embeddings under cosine distance, and of others under Euclidean distance."""
    first, start, used = score(cosine, labels), time.perf_counter(), time.process_time()
    second = CALCULATOR.get_accuracy(euclidean, labels)["mean_average_precision_at_r"]
    add(SECOND, start, used)
    return np.array([first, second])


def add(spent: dict[str, float], start: float, used: float) -> None:
    """Add the seconds since a moment."""
    spent["wall"] += time.perf_counter() - start
    spent["processor"] += time.process_time() - used


def of_folds(heads: list[tuple[nn.Module, torch.Tensor]], test) -> list[np.ndarray]:
    """The scores of the heads of all folds: their mean, and those of the joined embeddings.

    For the Euclidean distance each is divided by its root mean square norm over its own training images.
    """
    features, labels = test
    embedded = [embed(head, features) for head, _ in heads]
    norms = [embed(head, own).square().sum(1).mean().sqrt() for head, own in heads]
    joined = torch.cat([each / norm for each, norm in zip(embedded, norms, strict=True)], dim=1)
    unit = torch.cat([nn.functional.normalize(each) for each in embedded], dim=1)
    return [np.mean([scores(each, each, labels) for each in embedded], axis=0), scores(unit, joined, labels)]


def train(name, knobs, data, classes, sizes, *, dims):
    """Train a head on some classes; return it and the best score of the other classes."""
    features, labels = data
    own = torch.isin(labels, torch.tensor(sorted(classes)))
    train_features, val_features, val_labels = features[own], features[~own], labels[~own]
    targets = torch.unique(labels[own], return_inverse=True)[1]
    each = 4 if name == "contrastive" else 2
    count = 32 * sizes["iterations"]
    sampler = samplers.MPerClassSampler(targets, m=each, batch_size=32, length_before_new_iter=count)
    batches = torch.tensor(list(sampler)).reshape(-1, 32)
    model, loss = head_of(features.shape[1], dims), loss_of(name, knobs, classes=len(classes), dims=dims)
    optimizers = [torch.optim.Adam(model.parameters(), lr=knobs["lr"])]
    if list(loss.parameters()):
        optimizers.append(torch.optim.Adam(loss.parameters(), lr=knobs["loss_lr"]))
    best = score(embed(model, val_features), val_labels) if len(val_labels) else 0.0
    for step, batch in enumerate(batches, start=1):
        value = loss(model(train_features[batch]), targets[batch])
        for optimizer in optimizers:
            optimizer.zero_grad()
        value.backward()
        for optimizer in optimizers:
            optimizer.step()
        if len(val_labels) and step % sizes["every"] == 0:
            best = max(best, score(embed(model, val_features), val_labels))
    return model, best


def study(name: str, data, test, sizes: dict[str, int]) -> dict[str, list[np.ndarray]]:
    """Search, retrain and score one loss."""
    classes = set(data[1].tolist())
    folds = [set(part.tolist()) for part in np.array_split(np.array(sorted(classes)), 4)]

    def fold_heads(knobs: dict[str, float]):
        for val in folds:
            yield train(name, knobs, data, classes - val, sizes, dims=128), inside(data, classes - val)

    def objective(trial: optuna.Trial) -> float:
        return float(np.mean([best for (_, best), _ in fold_heads(knobs_of(name, trial))]))

    search = optuna.create_study(direction="maximize")
    search.optimize(objective, n_trials=sizes["trials"])
    found = {"aggregate": [], "ensemble": [], "complete": []}
    for _ in range(sizes["seeds"]):
        alone, joined = of_folds([(head, own) for (head, _), own in fold_heads(search.best_params)], test)
        head, _ = train(name, search.best_params, data, classes, sizes, dims=512)
        embeddings = embed(head, test[0])
        for category, values in zip(found, (alone, joined, scores(embeddings, embeddings, test[1])), strict=True):
            found[category].append(values)
    return found


def untrained(data, test, sizes: dict[str, int]) -> list[list[np.ndarray]]:
    """The scores of heads that are not trained, and once of the features, which all share."""
    classes, width = set(data[1].tolist()), data[0].shape[1]
    folds = [set(part.tolist()) for part in np.array_split(np.array(sorted(classes)), 4)]
    found = [[scores(test[0], test[0], test[1])]]
    for _ in range(sizes["seeds"]):
        heads = [(head_of(width, 128), inside(data, classes - val)) for val in folds]
        embeddings = embed(head_of(width, 512), test[0])
        found.append([*of_folds(heads, test), scores(embeddings, embeddings, test[1])])
    return found


def inside(data, classes: set[int]) -> torch.Tensor:
    """The features of some classes."""
    return data[0][torch.isin(data[1], torch.tensor(sorted(classes)))]


def features_of(trunk: nn.Module, folder: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Features, pooled by maximum and mean, and labels of all images of a folder."""
    images = datasets.ImageFolder(folder, transforms.Compose([transforms.Grayscale(), transforms.ToTensor()]))
    pooled, labels = [], []
    with torch.inference_mode():
        for batch, targets in DataLoader(images, batch_size=500):
            maps = trunk(batch)
            pooled.append(maps.mean((2, 3)) + maps.amax((2, 3)))
            labels.append(targets)
    return torch.cat(pooled).clone(), torch.cat(labels)


if __name__ == "__main__":
    chosen = json.loads(sys.argv[3])
    torch.set_num_threads(chosen["threads"])
    frozen = trunk_of(chosen["width"])
    train_half, test_half = (features_of(frozen, folder) for folder in sys.argv[1:3])
    for label in chosen["losses"]:
        print(label, study(label, train_half, test_half, chosen))
    second, start, used = dict(SECOND), time.perf_counter(), time.process_time()
    print("untrained", untrained(train_half, test_half, chosen))
    add(UNTRAINED, start, used)
    print(json.dumps({"second": second, "untrained": UNTRAINED}))
