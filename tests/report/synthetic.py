"""A study and evidence that no training made: seeded numbers in the ledger's formats."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

import numpy as np
from made_records import make_complete_run, make_run, make_score

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import DatasetEvidence, LossEvidence, untrained_evidence
from realitycheck.runs import Replicate, Trial

FOLDS = 4
MEANS = {
    "contrastive": 0.2368,
    "circle": 0.2374,
    "soft_triple": 0.2510,
    "proxy_nca": 0.2190,
    "arcface": 0.2402,
}
FAMILIES = {"contrastive": "pairs", "circle": "pairs"}
SPACES = {
    "contrastive": {"pos_margin": {"uniform": [0.0, 2.0]}, "neg_margin": {"uniform": [0.0, 2.0]}},
    "circle": {"margin": {"uniform": [0.0, 1.0]}, "scale": {"log_uniform": [1.0, 1000.0]}},
    "soft_triple": {"centres": {"int_uniform": [1, 10]}, "kind": {"choice": ["soft", "hard"]}, "tau": 0.2},
}


def make_study(*, labels: Collection[str] = tuple(MEANS), seeds: int = 10, trials: int = 20) -> Study:
    group = {"name": "rmsprop", "lr": 1e-6, "momentum": 0.9, "weight_decay": 1e-4}
    return Study.model_validate_json(
        json.dumps(
            {
                "study": "margins",
                "question": "Do margins still beat a plain contrastive loss?",
                "protocol": {
                    "protocol": "quick",
                    "summary": "A protocol for tests.",
                    "seed": 0,
                    "split": {"order": "sorted", "seed": 0},
                    "folds": {"count": FOLDS, "kind": "blocks", "seed": 0},
                    "recipe": {
                        "image_size": 32,
                        "trunk": {"name": "small", "channels": 8},
                        "pooling": "avg",
                        "layer_norm": "none",
                        "embedder_init": "fan_in_uniform",
                        "loss_init": "unit_norm",
                        "batch_norm": "train",
                        "augment": {"shift": 2, "flip": 0.5},
                        "optimizers": {"trunk": group, "embedder": group, "loss": group},
                        "precision": "float32",
                        "threads": 1,
                        "collapse": 0.01,
                    },
                    "embedding_dim": 128,
                    "batches": {
                        "pairs": {"classes": 8, "per_class": 4},
                        "proxies": {"classes": 32, "per_class": 1},
                    },
                    "epoch": "pass",
                    "phases": [{"name": "normal", "cap": 500, "evaluate_every": 50, "patience": 3}],
                    "search": {
                        "sampler": "gp",
                        "trials": trials,
                        "startup_trials": 5,
                        "round": 1,
                        "space": "test",
                        "shared": {"trunk_lr": {"log_uniform": [1e-6, 1e-3]}},
                    },
                    "final": {"seeds": seeds, "complete": "per_replicate"},
                    "categories": ["complete", "ensemble", "aggregate"],
                    "interval": {"method": "student_t", "level": 0.95},
                },
                "datasets": [{"name": "cub200", "address": "cub200", "root": None}],
                "losses": [
                    {
                        "label": label,
                        "address": label,
                        "distance": "euclidean" if label == "contrastive" else "cosine",
                        "family": FAMILIES.get(label, "proxies"),
                        "space": SPACES.get(label, {"temperature": {"log_uniform": [0.01, 1.0]}}),
                    }
                    for label in labels
                ],
                "baseline": "contrastive",
                "primary": {"category": "ensemble", "metric": "map_at_r"},
                "smallest_difference": 0.5,
            }
        )
    )


CLAIMS = {"baseline": "contrastive", "seeds": 10}


def make_dataset(study: Study, *, seed: int = 0, dataset: str = "cub200") -> DatasetEvidence:
    """A finished search and all replicates of every loss; `seed` moves every number."""
    rng = np.random.default_rng(seed)
    luck = rng.standard_normal(study.protocol.final.seeds)
    losses = tuple(make_loss(study, dataset, choice.label, luck, rng) for choice in study.losses)
    rows = (("untrained embedder", 0.10), ("untrained trunk", 0.12))
    untrained = tuple(
        untrained_evidence(label, make_replicates(study, f"{dataset}/{label}", mean, luck, rng, iterations=()))
        for label, mean in rows
    )
    labels = [choice.label for choice in study.losses]
    return DatasetEvidence(dataset, CLAIMS, losses, untrained, (make_opening(labels, number=0),))


def make_opening(labels: Collection[str], *, number: int) -> dict[str, Any]:
    searches = {label: f"search of {label}" for label in labels}
    told = {"searches": searches, "claims": CLAIMS, "number": number}
    return {"kind": "opening", "id": f"o{number}", "data": "d", "test": "t", **told}


def make_loss(study: Study, dataset: str, label: str, luck: np.ndarray, rng: np.random.Generator) -> LossEvidence:
    mean, search, name = MEANS.get(label, 0.23), study.protocol.search, f"{dataset}/{label}"
    space = study.protocol.space_of(study.loss(label), dataset)
    trials, runs = [], []
    for slot in range(search.trials):
        height = mean + 0.06 - 0.05 * float(rng.random()) ** 2 * (1 if slot < search.startup_trials else 0.5)
        values = [height + 0.01 * float(x) for x in rng.standard_normal(FOLDS)]
        folds = tuple(
            make_run(f"{name}/{slot}/{fold}", value, iterations=(0, 50, 100), rng=rng)
            for fold, value in enumerate(values)
        )
        trials.append(
            Trial(slot, {k: draw(g, rng) for k, g in space.items()}, tuple(values), math.fsum(values) / FOLDS)
        )
        runs.append(folds)
    chosen = max(trials, key=lambda trial: trial.value or 0)
    sources = tuple("startup" if slot < search.startup_trials else "gp" for slot in range(search.trials))
    return LossEvidence(
        label=label,
        search=f"search of {label}",
        distance=study.loss(label).distance,
        trials=tuple(trials),
        trial_runs=tuple(runs),
        sources=sources,
        proposals=tuple(f"{name}/{slot}" for slot in range(search.trials)),
        chosen=chosen,
        replicates=make_replicates(study, name, mean, luck, rng, iterations=range(0, 401, 50)),
    )


def draw(ground: Any, rng: np.random.Generator) -> float | int | str:
    """A value out of a range, or the fixed value."""
    kind = next(iter(getattr(type(ground), "model_fields", {"fixed": 0})))
    match kind:
        case "uniform":
            return float(rng.uniform(*ground.uniform))
        case "log_uniform":
            return float(np.exp(rng.uniform(*np.log(ground.log_uniform))))
        case "int_uniform" | "log_int_uniform":
            return int(rng.integers(*(int(end) for end in ground.bounds), endpoint=True))
        case "choice":
            return ground.choice[int(rng.integers(len(ground.choice)))]
        case _:
            return ground  # type: ignore[no-any-return]


def make_replicates(
    study: Study, name: str, mean: float, luck: np.ndarray, rng: np.random.Generator, *, iterations: Collection[int]
) -> tuple[Replicate, ...]:
    done = []
    for index in range(study.protocol.final.seeds):
        height = mean + 0.002 * float(luck[index]) + 0.002 * float(rng.standard_normal())
        folds = tuple(
            make_run(f"{name}/seed {index}/{fold}", height + 0.05, iterations=iterations, rng=rng)
            for fold in range(FOLDS)
        )
        done.append(
            Replicate(
                index=index,
                fold_runs=folds,
                complete_run=make_complete_run(f"{name}/seed {index}", length=300),
                fold_score=make_score(
                    f"{name}/seed {index}/folds",
                    [height - 0.03 + 0.004 * float(x) for x in rng.standard_normal(FOLDS)],
                    together=height,
                ),
                complete_score=make_score(f"{name}/seed {index}/complete", [height - 0.01], together=None),
            )
        )
    return tuple(done)
