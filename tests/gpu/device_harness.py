"""The harness's own step: where its batches come from, eager and as a CUDA graph, and whether the bits are the same.

On a CPU a recording of operations stands for a CUDA graph, which is slower than the step itself.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from device_loops import KNOBS, clear, wait
from device_steps import _caught, _summed
from device_study import ROOT, StudyHome, chosen

WAYS = ("drawn in the loop", "drawn by threads", "resident", "resident, graph")
"""Of the batches of a run, from the slowest to the fastest."""

WARM = 8
"""Steps before those that are timed: those of the recording, and some more."""


def harness(size, device, save):
    """Milliseconds of a step of BN-Inception, with crops from 256 pixels; the weights are the same in every way."""
    rows, first = [], {}
    for arithmetic in ("cuda-fp32", "cuda-tf32", "cuda-bf16") if device == "cuda" else ("cpu-fp32",):
        for way in WAYS if arithmetic.endswith("-fp32") else WAYS[2:]:
            row = {"arithmetic": arithmetic, "batches": way}
            rows.append({**row, **_caught(lambda a=arithmetic, w=way: _harness_row(size, device, a, w))})
            weights = rows[-1].pop("weights", None)
            rows[-1]["same weights"] = weights is not None and weights == first.setdefault(arithmetic, weights)
            save(_told(rows))


def _told(rows):
    bad = [row for row in rows if "error" in row or not row["same weights"]]
    says = [f"FAILED: {row['arithmetic']}, {row['batches']}: {row.get('error', 'other weights')}" for row in bad]
    eager = [f"{row['arithmetic']}: {row['steps']}" for row in rows if str(row.get("steps", "")).startswith("eager: ")]
    says = [*(says or [f"All {len(rows)} ways have the weights of the first of their arithmetic."]), *eager]
    return {"says": says, "tables": {"The harness's step, BN-Inception": rows}}


def _harness_row(size, device, arithmetic, way):
    from realitycheck.training.checkpoint import weights_digest

    clear(device)
    trainer = _trainer(size, arithmetic, way)
    draws = _draw_seconds(trainer, size)
    trainer.advance(WARM)
    wait(device)
    start = time.perf_counter()
    trainer.advance(size["timed"])
    wait(device)
    seconds = (time.perf_counter() - start) / size["timed"]
    trainer.feed.close()
    row = {"ms a step": round(1000 * seconds, 3), "images a second": round(size["batch"] / seconds)}
    row |= {"ms to draw a batch, alone": round(1000 * draws, 3)}
    row |= {"peak GiB": round(torch.cuda.max_memory_allocated() / 2**30, 2)} if device == "cuda" else {}
    row |= {"steps": trainer.replays.outcome if trainer.replays else "eager"}
    return row | {"weights": weights_digest(trainer.model.state_dict())}


def _draw_seconds(trainer, size):
    """Seconds of a batch after the last one of the run; the run's own batches do not depend on it."""
    count, far = 5, 10**6
    trainer.feed.batch(far, view="batch")
    wait(trainer.device.type)
    start = time.perf_counter()
    for number in range(1, count + 1):
        trainer.feed.batch(far + 100 * number, view="batch")
    wait(trainer.device.type)
    trainer.feed.close()
    trainer.feed._blocks.clear()
    return (time.perf_counter() - start) / count


def _trainer(size, arithmetic, way):
    from realitycheck import losses
    from realitycheck.protocol.read import read_protocol
    from realitycheck.protocol.recipe import Augment, Crop, TrunkChoice
    from realitycheck.training.batches import MPerClassBatches
    from realitycheck.training.device import prepare_arithmetic
    from realitycheck.training.embedding_model import build_model
    from realitycheck.training.feed import Feed
    from realitycheck.training.loop import Trainer
    from realitycheck.training.optimizers import build_optimizers

    place = prepare_arithmetic(arithmetic, threads=1, device="auto")
    crop = Augment(shift=0, flip=0.5, crop=Crop(scale=(0.16, 1.0), ratio=(0.75, 1.33)))
    recipe = read_protocol(ROOT / "protocols" / "quick.yaml").value.recipe
    update = {"image_size": size["harness_side"], "trunk": TrunkChoice(name="bn_inception"), "augment": crop}
    recipe = recipe.model_copy(update={**update, "arithmetic": arithmetic})
    store, ahead = _stored(size, place, way), way == "drawn by threads"
    shape = {"classes": size["batch"] // 4, "per_class": 4}
    batches = MPerClassBatches(labels=store.labels, classes=range(len(store.classes)), shape=shape, seed=1)
    model = build_model(recipe=recipe, in_channels=3, dims=128, seed=2, weights=None).to(place)
    loss = losses.build("multi_similarity", num_classes=len(store.classes), embedding_dim=128, **KNOBS).to(place)
    optimizers = build_optimizers(recipe=recipe, knobs={}, model=model, loss=loss)
    trainer = Trainer(Feed(recipe, store, batches, 3, place, ahead=ahead), model, loss, None, optimizers, "cosine")
    if way.endswith("graph"):
        trainer.replays = replays_on(trainer)
    return trainer


def _stored(size, place, way):
    """Random images of 256 pixels, or of a little more than the step's."""
    from realitycheck.stores.base import Facts
    from realitycheck.stores.pixels import SquareStore
    from realitycheck.stores.resident import resident

    classes = max(16, size["batch"] // 4)
    side, labels = size["harness_side"] + 29, np.repeat(np.arange(classes), 8)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 3, side, side), dtype=np.uint8)
    store = SquareStore(Facts(labels, tuple(map(str, range(classes))), ""), pixels)
    return resident(store, place, free=2**40) if way.startswith("resident") else store


def replays_on(trainer):
    """What replays the steps of a trainer."""
    from realitycheck.training.captured_steps import CapturedSteps, _tensors
    from realitycheck.training.cuda_graph import CudaGraphs

    if trainer.device.type == "cuda":
        return CapturedSteps(CudaGraphs(trainer.device), ())
    sys.path.insert(0, str(ROOT / "tests"))
    from recorded_graph import RecordedGraphs

    return CapturedSteps(RecordedGraphs(lambda: [*_tensors(trainer).values(), trainer.replays._values]), ())


def graphs(size, device, save):
    """A training of every loss, eager and replayed: the same curve and weights bit for bit."""
    from device_steps import _training

    rows, names = [], [name for name, _ in chosen(size["losses"])]
    with tempfile.TemporaryDirectory() as folder:
        home = StudyHome(Path(folder), device, names, steps=20, every=10)
        for name in names:
            rows.append({"loss": name, **_caught(lambda n=name: _graph_row(home, n, device, size, _training))})
            save(_summed("Eager and replayed trainings", rows, _graph_bad))


def _graph_bad(row):
    return row.get("error") or (None if row["same bits"] else "a replayed training differs from the eager one")


def _graph_row(home, name, device, size, training):
    eager, trainer = training(home, name, device, size), home.trainer(name, device)
    trainer[0].replays = replays_on(trainer[0])
    replayed = training(_Given(trainer), name, device, size)
    row = {"same bits": eager == replayed, "steps": trainer[0].replays.outcome}
    return row | {"eager ms a step": _milliseconds(eager, size), "replayed ms a step": _milliseconds(replayed, size)}


class _Given:
    """A home with one trainer."""

    def __init__(self, trainer):
        self._trainer = trainer

    def trainer(self, name, where):
        return self._trainer


def _milliseconds(curve, size):
    return round(1000 * curve["seconds"] / size["run_steps"], 2)
