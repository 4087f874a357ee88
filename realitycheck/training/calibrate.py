"""`calibrate`: how fast this machine trains and scores, from a few seconds of the real thing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from realitycheck.metrics.retrieval import scores
from realitycheck.runs import DISTANCES, Body, Place, RunSpec
from realitycheck.training.assemble import assemble
from realitycheck.training.embed import embed, join
from realitycheck.training.loop import Trainer

STEPS = 30
"""Enough to see past the first, slower iterations, few enough to be over in a second."""


def calibrate(payload: Body) -> Body:
    """Time steps, a validation and the two kinds of score for `payload["spec"]` at `payload["place"]`.

    Scores are timed on the trainval half, which is as large as the test half but for a class: the test half stays shut.

    Returns:
        The seconds of `plan.cost.Measured` as plain JSON.
    """
    spec, place = RunSpec.from_json(payload["spec"]), Place(**payload["place"])
    folds = spec.folds["count"]
    trainer, _, val = assemble(spec, place)
    complete, _, _ = assemble(replace(spec, fold=None, dims=spec.dims * folds), place)
    seconds_each = _seconds(lambda: _score(trainer, 1))
    return {
        "step": _steps(trainer),
        "complete_step": _steps(complete),
        "evaluation": _seconds(lambda: _validate(trainer, val)),
        "fold_score": folds * seconds_each + _seconds(lambda: _score(trainer, folds)),
        "complete_score": _seconds(lambda: _score(complete, 1)),
        "weights_bytes": sum(each.numel() * each.element_size() for each in complete.model.state_dict().values()),
    }


def _steps(trainer: Trainer) -> float:
    trainer.advance(STEPS // 3)
    return _seconds(lambda: trainer.advance(STEPS)) / STEPS


def _validate(trainer: Trainer, indices: NDArray[np.int64]) -> None:
    labels = torch.from_numpy(trainer.store.labels[indices])
    found = _embed(trainer, indices)
    scores(found, labels, distance=DISTANCES[0])


def _score(trainer: Trainer, copies: int) -> None:
    labels = trainer.store.labels
    found = _embed(trainer, np.arange(len(labels)))
    for distance in DISTANCES:
        joined = join([found] * copies, distance=distance, scales=[1.0] * copies)
        scores(joined, torch.from_numpy(labels), distance=distance)


def _embed(trainer: Trainer, indices: NDArray[np.int64]) -> torch.Tensor:
    return embed(
        trainer.model,
        trainer.store,
        indices,
        output="embedder",
        recipe=trainer.recipe,
        device=trainer.device,
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
