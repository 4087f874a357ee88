"""Measure how fast this machine trains and scores, from a few seconds of real work."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from realitycheck.executors.base import Tell
from realitycheck.metrics.measure import measure
from realitycheck.runs import DISTANCES, Body, RunSpec, TrainingPlace
from realitycheck.training.assemble import assemble
from realitycheck.training.class_vectors import class_vectors_of
from realitycheck.training.device import wait_for
from realitycheck.training.embed import embed
from realitycheck.training.loop import Trainer

WARM, STEPS = 10, 30
"""Untimed and timed iterations: the first iterations are slower, and the total stays near one second."""

TIME_LIMIT = 5.0
"""Seconds that iterations may take. BN-Inception takes as long as a thousand small iterations."""

EMBEDDED = 128
"""Images that are embedded; time is proportional to their number."""

RANKED = 4000
"""Items that are ranked; time is proportional to the square of their number."""


@dataclass(frozen=True, slots=True)
class _Training:
    """A run that was timed: the seconds of a step, of embedding an image, and of what ends an interval beside a score.

    `train` is a number of images, `val` holds the indices of others, and `labels` are those of the whole half.
    """

    step: float
    image: float
    interval: float
    train: int
    val: NDArray[np.int64]
    labels: NDArray[np.int64]
    weights_bytes: int
    device: torch.device


def calibrate(payload: Body, *, tell: Tell) -> Body:
    """Time steps, embeddings and scores for `payload["spec"]` at `payload["place"]` with the extra `payload["scores"]`.

    Scores are timed on random embeddings of the trainval half, which differs from the test half by at most one class.
    They are on the device, as those of a run. The test half is not opened.

    Returns:
        The fields of `plan.cost.Calibration` as plain JSON, in seconds and bytes.
    """
    spec, place = RunSpec.from_json(payload["spec"]), TrainingPlace(**payload["place"])
    folds, extra = spec.folds["count"], payload["scores"] or {}
    fold = _timed(spec, place)  # over before the next one begins: the memory is that of one job
    complete = _timed(replace(spec, fold=None, dims=spec.dims * folds), place)
    labels, ranking = fold.labels, partial(_ranking, device=fold.device)
    ranking(labels, spec.dims, extra, DISTANCES[:1])  # untimed: the first call loads libraries
    narrow, wide = (ranking(labels, dims, extra, DISTANCES) for dims in (spec.dims, folds * spec.dims))
    validation = len(fold.val) * fold.image + ranking(labels[fold.val], spec.dims, {}, DISTANCES[:1])
    return {
        "step": fold.step,
        "complete_step": complete.step,
        "evaluation": fold.interval + validation,
        # A score embeds the test half, and the training images for the RMS norm that scales the model's embeddings.
        "fold_score": folds * ((len(labels) + fold.train) * fold.image + narrow) + (wide if folds > 1 else 0.0),
        "complete_score": (len(labels) + complete.train) * fold.image + wide,
        "memory_bytes": _memory(fold.device),
        "device_bytes": torch.cuda.mem_get_info(fold.device)[1] if fold.device.type == "cuda" else 0,
        "weights_bytes": complete.weights_bytes,
    }


def _timed(spec: RunSpec, place: TrainingPlace) -> _Training:
    """Time a run, and free what it held."""
    trainer, train, val = assemble(spec, place)
    ends = _embeds_all(trainer)
    # Else the few steps that are timed would end with embeddings of all training images.
    trainer.feed.recipe = trainer.recipe.model_copy(update={"unaugmented_distance": False})
    step = _seconds_per_step(trainer)
    trainer.feed.close()  # what is drawn ahead would slow down what is timed next
    image = _seconds_per_image(trainer)
    weights = sum(value.numel() * value.element_size() for value in trainer.model.state_dict().values())
    labels, device = trainer.store.labels, trainer.device
    del trainer
    _free(device)
    return _Training(step, image, ends * len(train) * image, len(train), val, labels, weights, device)


def _embeds_all(trainer: Trainer) -> bool:
    """Whether an interval ends with embeddings of all training images, for their distances to class vectors."""
    classes, dims = len(trainer.feed.batches.members), trainer.model.dims
    vectors = class_vectors_of(trainer.loss, classes=classes, dims=dims)
    return trainer.recipe.unaugmented_distance and vectors is not None


def _free(device: torch.device) -> None:
    """Free the memory of what is gone; torch keeps that of a GPU, in blocks which may not fit the next model."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _seconds_per_step(trainer: Trainer) -> float:
    """Time the steps that fit into `TIME_LIMIT`, at once: a run waits for its device only at the end of an interval."""
    one = _mean_seconds(lambda: trainer.advance(1), times=WARM)
    steps = min(STEPS, max(1, int(TIME_LIMIT / max(one, 1e-6))))
    return _mean_seconds(lambda: trainer.advance(steps), times=1) / steps


def _seconds_per_image(trainer: Trainer) -> float:
    """Return the seconds that embedding one image takes."""
    indices = np.arange(min(EMBEDDED, len(trainer.store.labels)))
    seconds = _mean_seconds(
        lambda: embed(
            trainer.model, trainer.store, indices, output="embedder", recipe=trainer.recipe, device=trainer.device
        ).cpu(),  # copying to the host waits for a GPU
        times=3,
    )
    return seconds / len(indices)


def spread_labels(labels: NDArray[np.int64], *, most: int) -> NDArray[np.int64]:
    """Return the labels of whole classes, drawn from all of them, up to a number of images.

    The first classes of a list can be far larger than the others, and time grows with the images of a class.
    """
    if len(labels) <= most:
        return labels
    counts = np.bincount(labels)
    drawn = np.random.default_rng(0).permutation(np.flatnonzero(counts))
    kept = drawn[: max(1, int((np.cumsum(counts[drawn]) <= most).sum()))]
    return labels[np.isin(labels, kept)][:most]


def _memory(device: torch.device) -> int:
    """Return the most memory that this process held, in bytes: on its GPU, or on the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _ranking(
    labels: NDArray[np.int64],
    dims: int,
    extra: Mapping[str, Any],
    distances: tuple[str, ...],
    *,
    device: torch.device,
) -> float:
    """Return the seconds to score as many embeddings as there are labels, under these distances."""
    ranked = torch.from_numpy(spread_labels(labels, most=RANKED))
    embeddings = torch.randn((len(ranked), dims), generator=torch.Generator().manual_seed(0)).to(device)
    wait_for(device)
    start = time.perf_counter()
    for distance in distances:
        measure(embeddings, ranked, extra=extra, distance=distance)
    wait_for(device)
    return (time.perf_counter() - start) * (len(labels) / len(ranked)) ** 2


def _mean_seconds(work: Callable[[], object], *, times: int) -> float:
    """Return the mean seconds of `times` calls, or of fewer where they reach `TIME_LIMIT`."""
    start, done, taken = time.perf_counter(), 0, 0.0
    while done < times and taken < TIME_LIMIT:
        work()
        done, taken = done + 1, time.perf_counter() - start
    return taken / done
