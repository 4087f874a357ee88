"""A run of the harness against a bare PyTorch loop of the same steps, side by side in one process.

Both train the same small net with the same loss on the same batch shape of the embedded sketches. The bare loop draws
random images of m classes, augments nothing, and does what every tutorial does. Aim: at most 1.03 times its time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from realitycheck import losses, verbs
from realitycheck.arithmetic import unpinned
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import RunSpec, TrainingPlace
from realitycheck.stores.open import open_store
from realitycheck.stores.prepare import Stores
from realitycheck.training.assemble import assemble

STEPS, REPEATS = 100, 7
KNOBS = {"alpha": 2.0, "beta": 40.0, "base": 0.5}


def main() -> None:
    """Print seconds per step of both, and their ratio."""
    torch.set_num_threads(1)
    read = verbs.load_study(Path("studies/sketches.yaml"))
    if missing := unpinned(read.study.protocol.recipe.arithmetic):  # torch reads them when it loads
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **missing})
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="sketches", data=stores.trainval_digest, test=None)
    loss = next(each for each in plan.losses if each.label == "multi_similarity")
    spec = loss.searches[0].trial_runs(slot=0, knobs=KNOBS)[0]
    with tempfile.TemporaryDirectory() as cache:
        harness, bare = _harness(spec, stores, cache), _bare(spec, stores)
        pairs = [(_seconds(harness), _seconds(bare)) for _ in range(REPEATS)][1:]
    ours, theirs = (statistics.median(each) / STEPS for each in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"a step of the harness   {1000 * ours:6.2f} ms   (median of {REPEATS - 1} × {STEPS} steps, one thread)")
    print(f"a step of a bare loop   {1000 * theirs:6.2f} ms")
    print(f"ratio                   {ratio:6.3f}      (median of the pairs; aim: at most 1.03)")


def _harness(spec: RunSpec, stores: Stores, cache: str):
    place = TrainingPlace(trainval=str(stores.trainval), cache=cache, device="cpu", weights=None)
    trainer, _, _ = assemble(spec, place)
    return lambda: trainer.advance(STEPS)


def _bare(spec: RunSpec, stores: Stores):
    """The same model, loss and optimiser in the shortest loop that one would write by hand."""
    trainer, _, _ = assemble(spec, TrainingPlace(str(stores.trainval), "", "cpu", None))
    model = trainer.model
    loss = losses.build("multi_similarity", num_classes=129, embedding_dim=spec.dims, **KNOBS)
    rate = spec.recipe["optimizers"]["trunk"]["lr"]
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    store = open_store(stores.trainval)
    images, labels = torch.from_numpy(store.images.copy()), torch.from_numpy(store.labels)
    classes, each = spec.batch["classes"], spec.batch["per_class"]
    per_class = len(labels) // (int(labels.max()) + 1)

    def train() -> None:
        model.train()
        for _ in range(STEPS):
            chosen = torch.randperm(129)[:classes].repeat_interleave(each)
            indices = chosen * per_class + torch.randint(per_class, chosen.shape)
            value = loss(model(images[indices]), labels[indices])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    return train


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
