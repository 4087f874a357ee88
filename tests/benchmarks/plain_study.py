"""The study of `bench_study.py` as one would write it by hand: Optuna, pytorch-metric-learning and torchvision.

    python tests/benchmarks/plain_study.py TRAIN TEST SIZES      folders with one sub-folder per class; sizes as JSON

For every loss a search of some trials over folds of the training classes, then models of the best setting, scored on
the test classes: alone, by fold, and joined, under cosine and Euclidean distance as records of this package are; so are
models that are not trained, and the features of their trunks. The last line is JSON: the seconds that the Euclidean
scores of trained models took, and those of all that is not trained. It keeps no records, repeats no bit, and cannot be
resumed.
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
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.WARNING)
TO_TENSOR = [transforms.Grayscale(), transforms.ToTensor()]
TRAIN = transforms.Compose([transforms.RandomCrop(28, padding=1), *TO_TENSOR])
EVAL = transforms.Compose(TO_TENSOR)
CALCULATOR = AccuracyCalculator(
    include=("mean_average_precision_at_r", "r_precision", "precision_at_1"), k="max_bin_count"
)

SECOND, UNTRAINED = {"wall": 0.0, "processor": 0.0}, {"wall": 0.0, "processor": 0.0}


class Net(nn.Module):
    """The net of the study: three convolutions and a linear layer."""

    def __init__(self, width: int, dims: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
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
        )
        self.head = nn.Linear(8 * width, dims)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.trunk(images)
        return maps.mean((2, 3)) + maps.amax((2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images))


def loss_of(name: str, knobs: dict[str, float], *, classes: int, dims: int) -> nn.Module:
    """A loss of pytorch-metric-learning."""
    if name == "contrastive":
        return losses.ContrastiveLoss(pos_margin=0.0, neg_margin=knobs["margin"])
    return losses.NormalizedSoftmaxLoss(classes, dims, temperature=knobs["temperature"])


def knobs_of(name: str, trial: optuna.Trial) -> dict[str, float]:
    """A proposal."""
    if name == "contrastive":
        return {"margin": trial.suggest_float("margin", 0.1, 1.5)}
    rates = {"loss_lr": trial.suggest_float("loss_lr", 1e-4, 1e-1, log=True)}
    return {"temperature": trial.suggest_float("temperature", 0.01, 1.0, log=True), **rates}


def subset(data: datasets.ImageFolder, classes: set[int]) -> Subset:
    """The images of some classes."""
    return Subset(data, [index for index, label in enumerate(data.targets) if label in classes])


def embed(model: Net, data: Subset | datasets.ImageFolder, *, trunk: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings and labels of all images, or features of the trunk."""
    model.eval()
    with torch.inference_mode():
        seen = model.features if trunk else model
        parts = [(seen(images), labels) for images, labels in DataLoader(data, batch_size=500)]
    model.train()
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


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


def of_folds(models: list[tuple[Net, Subset]], test: datasets.ImageFolder, *, trunk: bool = False) -> list[np.ndarray]:
    """The scores of the models of all folds: their mean, and those of the joined embeddings.

    For the Euclidean distance each is divided by its root mean square norm over its own training images.
    """
    embedded = [embed(model, test, trunk=trunk) for model, _ in models]
    labels = embedded[0][1]
    norms = [embed(model, own, trunk=trunk)[0].square().sum(1).mean().sqrt() for model, own in models]
    joined = torch.cat([each / norm for (each, _), norm in zip(embedded, norms, strict=True)], dim=1)
    unit = torch.cat([nn.functional.normalize(each) for each, _ in embedded], dim=1)
    return [np.mean([scores(each, each, labels) for each, _ in embedded], axis=0), scores(unit, joined, labels)]


def train(name, knobs, train_data, val_data, sizes, *, dims):
    """Train a model; return it and the best validation score."""
    labels = np.array([train_data.dataset.targets[index] for index in train_data.indices])
    numbers = {label: number for number, label in enumerate(sorted(set(labels.tolist())))}
    each = 4 if name == "contrastive" else 1
    sampler = samplers.MPerClassSampler(labels, m=each, batch_size=32, length_before_new_iter=32 * sizes["iterations"])
    loader = DataLoader(train_data, batch_size=32, sampler=sampler, num_workers=0)
    model, loss = Net(sizes["width"], dims), loss_of(name, knobs, classes=len(numbers), dims=dims)
    optimizers = [torch.optim.Adam(model.parameters(), lr=2e-3)]
    if list(loss.parameters()):
        optimizers.append(torch.optim.Adam(loss.parameters(), lr=knobs["loss_lr"]))
    best = score(*embed(model, val_data)) if val_data else 0.0
    for step, (images, targets) in enumerate(loader, start=1):
        value = loss(model(images), torch.tensor([numbers[label] for label in targets.tolist()]))
        for optimizer in optimizers:
            optimizer.zero_grad()
        value.backward()
        for optimizer in optimizers:
            optimizer.step()
        if val_data and step % sizes["every"] == 0:
            best = max(best, score(*embed(model, val_data)))
    return model, best


def study(name: str, train_folder: str, test_folder: str, sizes: dict[str, int]) -> dict[str, list[np.ndarray]]:
    """Search, retrain and score one loss."""
    data, clean = datasets.ImageFolder(train_folder, TRAIN), datasets.ImageFolder(train_folder, EVAL)
    test, count = datasets.ImageFolder(test_folder, EVAL), len(data.classes)
    folds = [set(part.tolist()) for part in np.array_split(np.arange(count), 4)]

    def fold_models(knobs: dict[str, float]):
        for val in folds:
            own = set(range(count)) - val
            trained = train(name, knobs, subset(data, own), subset(clean, val), sizes, dims=128)
            yield trained, subset(clean, own)

    def objective(trial: optuna.Trial) -> float:
        return float(np.mean([best for (_, best), _ in fold_models(knobs_of(name, trial))]))

    search = optuna.create_study(direction="maximize")
    search.optimize(objective, n_trials=sizes["trials"])
    found = {"aggregate": [], "ensemble": [], "complete": []}
    for _ in range(sizes["seeds"]):
        alone, joined = of_folds([(model, own) for (model, _), own in fold_models(search.best_params)], test)
        model, _ = train(name, search.best_params, subset(data, set(range(count))), None, sizes, dims=512)
        embeddings, labels = embed(model, test)
        for category, values in zip(found, (alone, joined, scores(embeddings, embeddings, labels)), strict=True):
            found[category].append(values)
    return found


def untrained(train_folder: str, test_folder: str, sizes: dict[str, int]) -> dict[str, list[list[np.ndarray]]]:
    """The scores of models that are not trained, and of the features of their trunks."""
    clean, test = datasets.ImageFolder(train_folder, EVAL), datasets.ImageFolder(test_folder, EVAL)
    count, found = len(clean.classes), {"embedder": [], "trunk": []}
    folds = [set(part.tolist()) for part in np.array_split(np.arange(count), 4)]
    for _ in range(sizes["seeds"]):
        models = [(Net(sizes["width"], 128), subset(clean, set(range(count)) - val)) for val in folds]
        complete = Net(sizes["width"], 512)
        for output, rows in found.items():
            embeddings, labels = embed(complete, test, trunk=output == "trunk")
            rows.append([*of_folds(models, test, trunk=output == "trunk"), scores(embeddings, embeddings, labels)])
    return found


if __name__ == "__main__":
    chosen = json.loads(sys.argv[3])
    torch.set_num_threads(chosen["threads"])
    for label in chosen["losses"]:
        print(label, study(label, sys.argv[1], sys.argv[2], chosen))
    second, start, used = dict(SECOND), time.perf_counter(), time.process_time()
    print("untrained", untrained(sys.argv[1], sys.argv[2], chosen))
    add(UNTRAINED, start, used)
    print(json.dumps({"second": second, "untrained": UNTRAINED}))
