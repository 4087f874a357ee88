"""Measure how fast this machine trains and scores, from a few seconds of real work."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from realitycheck.executors.base import Tell
from realitycheck.metrics.measure import measure
from realitycheck.runs import DISTANCES, Body, RunSpec, TrainingPlace
from realitycheck.training.assemble import assemble
from realitycheck.training.embed import embed
from realitycheck.training.loop import Trainer

WARM, STEPS = 10, 30
"""Untimed and timed iterations: the first iterations are slower, and the total stays near one second."""

TIME_LIMIT = 5.0
"""Seconds after which no further iteration starts. BN-Inception takes as long as a thousand small iterations."""

EMBEDDED = 128
"""Images that are embedded; time is proportional to their number."""

RANKED = 4000
"""Items that are ranked; time is proportional to the square of their number."""


def calibrate(payload: Body, *, tell: Tell) -> Body:
    """Time steps, embeddings and scores for `payload["spec"]` at `payload["place"]` with the extra `payload["scores"]`.

    Scores are timed on random embeddings of the trainval half, which differs from the test half by at most one class.
    The test half is not opened.

    Returns:
        The fields of `plan.cost.Calibration` as plain JSON, in seconds and bytes.
    """
    spec, place = RunSpec.from_json(payload["spec"]), TrainingPlace(**payload["place"])
    folds, extra = spec.folds["count"], payload["scores"] or {}
    trainer, train, val = assemble(spec, place)
    complete, everything, _ = assemble(replace(spec, fold=None, dims=spec.dims * folds), place)
    step, complete_step, embedding = (
        _seconds_per_step(trainer),
        _seconds_per_step(complete),
        _seconds_per_image(trainer),
    )
    labels = trainer.store.labels
    ranking = partial(_ranking, device=trainer.device)
    ranking(labels, spec.dims, extra, DISTANCES[:1])  # untimed: the first call loads libraries
    narrow, wide = (ranking(labels, dims, extra, DISTANCES) for dims in (spec.dims, folds * spec.dims))
    return {
        "step": step,
        "complete_step": complete_step,
        "evaluation": len(val) * embedding + ranking(labels[val], spec.dims, {}, DISTANCES[:1]),
        # A score embeds the test half, and the training images for the RMS norm that scales the model's embeddings.
        "fold_score": folds * ((len(labels) + len(train)) * embedding + narrow) + (wide if folds > 1 else 0.0),
        "complete_score": (len(labels) + len(everything)) * embedding + wide,
        "memory_bytes": _memory(trainer.device),
        "weights_bytes": sum(value.numel() * value.element_size() for value in complete.model.state_dict().values()),
    }


def _seconds_per_step(trainer: Trainer) -> float:
    _mean_seconds(lambda: trainer.advance(1), times=WARM)
    seconds = _mean_seconds(lambda: trainer.advance(1), times=STEPS)
    trainer.feed.close()  # what is drawn ahead would slow down what is timed next
    return seconds


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
    """Return the seconds to score as many embeddings as there are labels on a device, under these distances."""
    ranked = torch.from_numpy(spread_labels(labels, most=RANKED))
    embeddings = torch.randn((len(ranked), dims), generator=torch.Generator().manual_seed(0)).to(device)
    start = time.perf_counter()
    for distance in distances:
        measure(embeddings, ranked, extra=extra, distance=distance)
    return (time.perf_counter() - start) * (len(labels) / len(ranked)) ** 2


def _mean_seconds(work: Callable[[], object], *, times: int) -> float:
    """Return the mean seconds of `times` calls, or of fewer where they reach `TIME_LIMIT`."""
    start, done, taken = time.perf_counter(), 0, 0.0
    while done < times and taken < TIME_LIMIT:
        work()
        done, taken = done + 1, time.perf_counter() - start
    return taken / done
