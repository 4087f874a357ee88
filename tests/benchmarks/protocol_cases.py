"""Runs of the shipped protocols for benchmarks: embedded sketches, and made-up photos and features of photos."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from realitycheck import verbs
from realitycheck.arithmetic import unpinned
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.space import middle
from realitycheck.runs import RunSpec, TrainingPlace
from realitycheck.stores.cache import publish_json

STUDIES = {
    "sketches28": "sketches",
    "quick": "demo",
    "frozen_trunk": "grocery_frozen",
    "finetuned_small": "grocery_finetuned",
}
"""Protocol → a study with it."""

CLASSES, PER_CLASS = 40, 68
"""Of the made-up half: those of `grocery_store`, which has 40 training classes and 2,700 images of them."""

FEATURES = 1280
"""Of an EfficientNet-Lite0."""

MADE_UP = "0" * 64
"""The digest of the made-up half."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a protocol, and where it may run."""

    protocol: str
    label: str
    spec: RunSpec
    place: TrainingPlace


def pinned() -> None:
    """Start this script again with the variables of the protocols' arithmetic; torch reads them when it loads."""
    torch.set_num_threads(1)
    if missing := unpinned("x86-avx2"):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **missing})


def case_of(protocol: str, label: str, folder: Path) -> Case:
    """Return the first fold run of a loss in a protocol, in the middle of its ranges; made-up data go to `folder`."""
    read = verbs.load_study(Path("studies") / f"{STUDIES[protocol]}.yaml")
    dataset = read.study.datasets[0].name
    if dataset == "grocery_store":
        path, digest = _made_up(folder, read.study.protocol.recipe), MADE_UP
    else:
        (stores,) = verbs.prepare_data(read).values()
        path, digest = stores.trainval, stores.trainval_digest
    plan = DatasetPlan(study=read.study, dataset=dataset, data=digest, test=None)
    search = next(loss.searches[0] for loss in plan.losses if loss.label == label)
    space = plan.protocol.space_of(search.choice, dataset)
    spec = search.trial_runs(slot=0, knobs={name: middle(bounds) for name, bounds in space.items()})[0]
    return Case(protocol, label, spec, TrainingPlace(str(path), str(folder), "cpu", None))


def _made_up(folder: Path, recipe) -> Path:
    """Write random features if the protocol freezes the trunk, else random whole photos."""
    draw, count = np.random.default_rng(0), CLASSES * PER_CLASS
    if recipe.trunk.frozen:
        path, kind = folder / "features", {"features": True}
        values = draw.standard_normal((count, 2, FEATURES), dtype=np.float32)
    else:
        path, side = folder / "photos", recipe.resize
        values = draw.integers(0, 256, count * side * side * 3, dtype=np.uint8)
        kind = {"sizes": [[side, side]] * count, "channels": 3}
    np.save(path.with_suffix(".npy"), values)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS).tolist()
    facts = {"digest": MADE_UP, "labels": labels, "classes": [str(number) for number in range(CLASSES)]}
    publish_json(path.with_suffix(".json"), facts | kind)
    return path


def in_turns(works: Sequence[Callable[[], object]], *, turns: int) -> list[list[float]]:
    """Return for each work the processor's seconds of each turn; the order is turned round from turn to turn."""
    for work in works:
        work()
    table: list[list[float]] = [[0.0] * turns for _ in works]
    for turn in range(turns):
        for number in range(len(works)) if turn % 2 else reversed(range(len(works))):
            table[number][turn] = _seconds(works[number])
    return table


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the ratios of the turns, and their quartiles."""
    low, middle_one, high = statistics.quantiles([one / other for one, other in zip(ours, theirs, strict=True)])
    return f"{middle_one:5.3f} ({low:5.3f} to {high:5.3f})"
