"""`calibrate`: how fast this machine trains and scores, from some seconds of the real thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from realitycheck.runs import DISTANCES, Body, Place, RunSpec
from realitycheck.training.assemble import assemble
from realitycheck.training.embed import embed
from realitycheck.training.loop import Trainer
from realitycheck.training.measure import measure

WARM, STEPS = 10, 30
"""Enough to see past the first, slower iterations, few enough to be over in a second."""

PATIENCE = 5.0
"""Seconds after which fewer iterations must do: one of BN-Inception takes as long as a thousand small ones."""

LOOKED = 128
"""Images that are embedded; the time of more is in proportion to their number."""

RANKED = 4000
"""Items that are ranked; the time of more is in proportion to the square of their number."""


def calibrate(payload: Body) -> Body:
    """Time steps, embeddings and scores for `payload["spec"]` at `payload["place"]` with the extra `payload["scores"]`.

    Scores are timed for the trainval half, which is as large as the test half but for a class, and on random numbers:
    their time is that of any others, and the test half stays shut.

    Returns:
        The seconds of `plan.cost.Measured` as plain JSON.
    """
    spec, place = RunSpec.from_json(payload["spec"]), Place(**payload["place"])
    folds, asked = spec.folds["count"], payload["scores"] or {}
    trainer, train, val = assemble(spec, place)
    complete, everything, _ = assemble(replace(spec, fold=None, dims=spec.dims * folds), place)
    step, complete_step, look = _steps(trainer), _steps(complete), _look(trainer)
    labels = trainer.store.labels
    _ranking(labels, spec.dims, asked, DISTANCES[:1])  # the first one loads libraries
    narrow, wide = (_ranking(labels, dims, asked, DISTANCES) for dims in (spec.dims, folds * spec.dims))
    return {
        "step": step,
        "complete_step": complete_step,
        "evaluation": len(val) * look + _ranking(labels[val], spec.dims, {}, DISTANCES[:1]),
        # A score embeds the test half, and the training images for the size of the model's numbers.
        "fold_score": folds * ((len(labels) + len(train)) * look + narrow) + (wide if folds > 1 else 0.0),
        "complete_score": (len(labels) + len(everything)) * look + wide,
        "weights_bytes": sum(each.numel() * each.element_size() for each in complete.model.state_dict().values()),
    }


def _steps(trainer: Trainer) -> float:
    """Seconds an iteration."""
    _for_a_while(lambda: trainer.advance(1), times=WARM)
    return _for_a_while(lambda: trainer.advance(1), times=STEPS)


def _look(trainer: Trainer) -> float:
    """Seconds an image that is embedded."""
    some = np.arange(min(LOOKED, len(trainer.store.labels)))
    seconds = _for_a_while(
        lambda: embed(
            trainer.model, trainer.store, some, output="embedder", recipe=trainer.recipe, device=trainer.device
        ).cpu(),  # which waits for a GPU
        times=3,
    )
    return seconds / len(some)


def _ranking(labels: NDArray[np.int64], dims: int, asked: Mapping[str, Any], distances: tuple[str, ...]) -> float:
    """Seconds to score as many embeddings under these distances."""
    some = torch.from_numpy(labels[:RANKED])
    found = torch.randn((len(some), dims), generator=torch.Generator().manual_seed(0))
    start = time.perf_counter()
    for distance in distances:
        measure(found, some, asked=asked, distance=distance)
    return (time.perf_counter() - start) * (len(labels) / len(some)) ** 2


def _for_a_while(work: Callable[[], object], *, times: int) -> float:
    """Mean seconds of so many calls, or of as many as patience has room for."""
    start, done, taken = time.perf_counter(), 0, 0.0
    while done < times and taken < PATIENCE:
        work()
        done, taken = done + 1, time.perf_counter() - start
    return taken / done
