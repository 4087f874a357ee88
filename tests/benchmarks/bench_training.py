"""A step of the harness against a bare PyTorch loop of the same steps, in turns in one process.

Both train the same model with the same loss, batch shape and rates. The bare loop has one optimiser with a group for
the model and one for the loss, draws random images of random classes, and measures nothing. It runs without
augmentation, and with a cheap one: a shift of the whole batch, or a random view of each image's features. Ours does
more in a step: its draws are keyed by seed and iteration, each image has a shift of its own, and for losses with class
vectors it measures the distance to the own vector. Aim: at most 1.03 times the time of the loop without augmentation.

The time is that of the processor, so that other processes on the machine disturb little.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from protocol_cases import Case, case_of, in_turns, pinned, ratio
from torch import Tensor
from torch.nn import functional

from realitycheck.executors.base import unheard
from realitycheck.stores.open import open_store
from realitycheck.training.assemble import assemble
from realitycheck.training.course import Training
from realitycheck.training.loop import Trainer
from realitycheck.training.run_checkpoints import checkpoints_of

CASES = {"sketches28": 16, "frozen_trunk": 100}
"""Protocol → steps in a turn."""

LABELS = ("multi_similarity", "normalized_softmax")
TURNS = 40


def main() -> None:
    """Print microseconds per step of each loop, and the ratios."""
    pinned()
    print(f"processor time of a step in µs, medians of {TURNS} turns; ratios with quartiles; aim: at most 1.03\n")
    print(f"{'protocol, loss':34}{'ours':>8}{'bare':>8}{'ratio':>24}{'augmented':>11}{'ratio':>24}")
    with tempfile.TemporaryDirectory() as folder:
        for protocol, steps in CASES.items():
            for label in LABELS:
                _print(case_of(protocol, label, Path(folder)), steps)


def _print(case: Case, steps: int) -> None:
    works = [_harness(case, steps), _bare(case, steps, augment=False), _bare(case, steps, augment=True)]
    table = in_turns(works, turns=TURNS)
    ours, bare, augmented = (1e6 * statistics.median(row) / steps for row in table)
    first, second = ratio(table[0], table[1]), ratio(table[0], table[2])
    print(f"{case.protocol + ', ' + case.label:34}{ours:8.0f}{bare:8.0f}{first:>24}{augmented:11.0f}{second:>24}")


def _harness(case: Case, steps: int) -> Callable[[], object]:
    """Steps of a run, with what it does between two of them."""
    trainer, train, val = assemble(case.spec, case.place)
    checkpoints = checkpoints_of(case.spec, case.place, trainer.device)
    run = Training(spec=case.spec, trainer=trainer, train=train, val=val, checkpoints=checkpoints, tell=unheard)
    return lambda: trainer.advance(steps, between=lambda: checkpoints.offer(run.tree, evaluated=False))


def _bare(case: Case, steps: int, *, augment: bool) -> Callable[[], object]:
    """The same model, loss and optimiser in the shortest loop that one would write by hand."""
    trainer, _, _ = assemble(case.spec, case.place)
    model, loss, optimizer = trainer.model, trainer.loss, _optimizer(case, trainer)
    batch = _batches(case, classes=len(trainer.feed.batches.members), augment=augment)

    def train() -> None:
        model.train()
        for _ in range(steps):
            images, labels = batch()
            value = loss(model(images), labels)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()

    return train


def _optimizer(case: Case, trainer: Trainer) -> torch.optim.Optimizer:
    rate = case.spec.knobs.get("embedder_lr") or case.spec.recipe["optimizers"]["embedder"]["lr"]
    groups = [{"params": list(trainer.model.parameters()), "lr": rate}]
    if vectors := list(trainer.loss.parameters()):
        groups.append({"params": vectors, "lr": case.spec.knobs["loss_lr"]})
    return torch.optim.Adam(groups, fused=True)


def _batches(case: Case, *, classes: int, augment: bool) -> Callable[[], tuple[Tensor, Tensor]]:
    """Batches of random images of random classes; every class has as many images."""
    store = open_store(Path(case.place.trainval))
    per_class = len(store.labels) // len(store.classes)
    shape, shift = case.spec.batch, case.spec.recipe["augment"]["shift"]
    frozen = case.spec.recipe["trunk"]["frozen"]
    stored = torch.from_numpy((store.features if frozen else store.images).copy())
    plain = stored[:, 0].contiguous() if frozen else stored

    def draw() -> tuple[Tensor, Tensor]:
        labels = torch.randperm(classes)[: shape["classes"]].repeat_interleave(shape["per_class"])
        indices = labels * per_class + torch.randint(per_class, labels.shape)
        if not augment:
            return plain[indices], labels
        if frozen:
            return stored[indices, torch.randint(2, indices.shape)], labels
        return _shifted(stored[indices], shift), labels

    return draw


def _shifted(images: Tensor, shift: int) -> Tensor:
    """The batch shifted by one draw, as `RandomCrop` of torchvision does with a batch."""
    top, left = torch.randint(2 * shift + 1, (2,)).tolist()
    padded = functional.pad(images, (shift,) * 4)
    return padded[:, :, top : top + images.shape[2], left : left + images.shape[3]]


if __name__ == "__main__":
    main()
