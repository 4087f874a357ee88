"""A study and evidence that no training made: seeded numbers."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import numpy as np
from made_records import make_complete_run, make_run, make_score

from realitycheck.evaluations.menu import untrained_rows
from realitycheck.plan.searches import replicate_numbers
from realitycheck.protocol.model import Study
from realitycheck.records.evidence import (
    DatasetEvidence,
    EvaluationScores,
    LossEvidence,
    NearBest,
    Replicate,
    SearchEvidence,
    Trial,
)
from realitycheck.records.gather import untrained_evidence
from realitycheck.records.schema import Opening
from realitycheck.runs import CLEAN, TRUNK

FOLDS, NEAR = 4, 5
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


def make_study(
    *, labels: Collection[str] = tuple(MEANS), seeds: int = 10, trials: int = 20, searches: int = 1
) -> Study:
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
                        "arithmetic": "cpu-fp32",
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
                        "searches": searches,
                        "startup_trials": 5,
                        "round": 1,
                        "space": "test",
                        "shared": {"trunk_lr": {"log_uniform": [1e-6, 1e-3]}},
                    },
                    "final": {"seeds": seeds, "complete": "per_replicate"},
                    "categories": ["complete", "ensemble", "aggregate"],
                    "interval": {"method": "student_t", "level": 0.95, "runners_up": NEAR - 1},
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
    """Finished searches and all replicates of every loss; `seed` moves every number."""
    rng = np.random.default_rng(seed)
    luck = rng.standard_normal(study.protocol.final.seeds)
    losses = tuple(make_loss(study, dataset, choice.label, luck, rng) for choice in study.losses)
    untrained = make_untrained(study, dataset, luck, rng)
    labels = [choice.label for choice in study.losses]
    opening = make_opening(labels, number=0, searches=study.protocol.search.searches)
    return DatasetEvidence(dataset, CLAIMS, losses, untrained, (opening,))


def make_opening(labels: Collection[str], *, number: int, searches: int = 1) -> Opening:
    ids = {label: tuple(search_id(label, which) for which in range(searches)) for label in labels}
    return Opening(f"plan {number}", "cub200", "d", "t", ids, CLAIMS, number)


def search_id(label: str, number: int) -> str:
    return f"search {number} of {label}"


def make_loss(study: Study, dataset: str, label: str, luck: np.ndarray, rng: np.random.Generator) -> LossEvidence:
    numbers = range(study.protocol.search.searches)
    searches = tuple(make_search(study, dataset, label, number, luck, rng) for number in numbers)
    return LossEvidence(label, study.loss(label).distance, CLEAN, searches)


def make_search(
    study: Study, dataset: str, label: str, number: int, luck: np.ndarray, rng: np.random.Generator
) -> SearchEvidence:
    mean, search = MEANS.get(label, 0.23), study.protocol.search
    name = f"{dataset}/{label}/{number}"
    space = study.protocol.space_of(study.loss(label), dataset)
    trials = []
    for slot in range(search.trials):
        height = mean + 0.06 - 0.05 * float(rng.random()) ** 2 * (1 if slot < search.startup_trials else 0.5)
        values = [height + 0.01 * float(x) for x in rng.standard_normal(FOLDS)]
        folds = tuple(
            make_run(f"{name}/{slot}/{fold}", value, iterations=(0, 50, 100), rng=rng)
            for fold, value in enumerate(values)
        )
        source = "startup" if slot < search.startup_trials else "gp"
        trials.append(Trial(slot, {k: draw(g, rng) for k, g in space.items()}, source, folds))
    best = sorted(trials, key=lambda trial: trial.value or 0, reverse=True)
    replicates = make_replicates(study, name, mean, luck, rng, search=number, iterations=range(0, 401, 50))
    return SearchEvidence(
        number=number,
        id=search_id(label, number),
        planned=search.trials,
        trials=tuple(trials),
        chosen=best[0],
        replicates=replicates,
        near_best=make_near_best(name, mean, best[:NEAR], replicates[0]),
    )


def make_near_best(name: str, mean: float, best: list[Trial], first: Replicate) -> tuple[NearBest, ...]:
    """Settings whose test scores differ by a tenth of a point."""
    near = []
    for place, trial in enumerate(best):
        height = mean + 0.001 * (place - NEAR // 2)
        scores = EvaluationScores(
            folds=make_score(f"{name}/near {place}", [height - 0.03] * FOLDS, together=height),
            complete=make_score(f"{name}/near {place}, complete", [height - 0.01], together=None)
            if place
            else first.scores[CLEAN].complete,
        )
        complete = make_complete_run(f"{name}/near {place}", length=300) if place else first.complete_run
        near.append(NearBest(trial, Replicate(first.index, first.search, trial.runs, complete, {CLEAN: scores})))
    return tuple(near)


def make_untrained(study: Study, dataset: str, luck: np.ndarray, rng: np.random.Generator) -> tuple[LossEvidence, ...]:
    """The untrained models of each search, scored at the embedder and, a little higher, at the trunk."""
    searches = []
    for number in range(study.protocol.search.searches):
        clean, trunk = (
            make_replicates(study, f"{dataset}/{name}/{number}", mean, luck, rng, search=number, iterations=())
            for name, mean in (("untrained embedder", 0.10), ("untrained trunk", 0.12))
        )
        both = tuple(
            Replicate(
                index=mine.index,
                search=number,
                fold_runs=mine.fold_runs,
                complete_run=mine.complete_run,
                scores={CLEAN: mine.scores[CLEAN], TRUNK: its.scores[CLEAN]},
            )
            for mine, its in zip(clean, trunk, strict=True)
        )
        searches.append(SearchEvidence(number, "", 0, (), None, both))
    return untrained_evidence(tuple(searches), rows=untrained_rows([]), constant={})


def draw(bounds: Any, rng: np.random.Generator) -> float | int | str:
    """A value out of a range, or the fixed value."""
    kind = next(iter(getattr(type(bounds), "model_fields", {"fixed": 0})))
    match kind:
        case "uniform":
            return float(rng.uniform(*bounds.uniform))
        case "log_uniform":
            return float(np.exp(rng.uniform(*np.log(bounds.log_uniform))))
        case "int_uniform" | "log_int_uniform":
            return int(rng.integers(*(int(end) for end in bounds.bounds), endpoint=True))
        case "choice":
            return bounds.choice[int(rng.integers(len(bounds.choice)))]
        case _:
            return bounds  # type: ignore[no-any-return]


def make_replicates(
    study: Study,
    name: str,
    mean: float,
    luck: np.ndarray,
    rng: np.random.Generator,
    *,
    search: int,
    iterations: Collection[int],
) -> tuple[Replicate, ...]:
    """The share of one search in the replicates of a loss."""
    return tuple(
        make_replicate(f"{name}/seed {index}", index, search, mean + 0.002 * float(luck[index]), rng, iterations)
        for index in replicate_numbers(study.protocol, search=search)
    )


def make_replicate(
    name: str, index: int, search: int, mean: float, rng: np.random.Generator, iterations: Collection[int]
) -> Replicate:
    height = mean + 0.002 * float(rng.standard_normal())
    folds = tuple(make_run(f"{name}/{fold}", height + 0.05, iterations=iterations, rng=rng) for fold in range(FOLDS))
    alone = [height - 0.03 + 0.004 * float(x) for x in rng.standard_normal(FOLDS)]
    scores = EvaluationScores(
        folds=make_score(f"{name}/folds", alone, together=height),
        complete=make_score(f"{name}/complete", [height - 0.01], together=None),
    )
    return Replicate(index, search, folds, make_complete_run(name, length=300), {CLEAN: scores})
