"""Small trainings that are killed after a checkpoint and run again, and plug-in losses with state of many kinds."""

from __future__ import annotations

import random
import shutil
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from small_study import PROTOCOL, STUDY, write_study
from torch import Tensor, nn

from realitycheck import verbs
from realitycheck.executors.base import Tell, unheard
from realitycheck.losses.base import Loss
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.protocol.space import middle
from realitycheck.runs import RunSpec, TrainingPlace
from realitycheck.stores.cache import checkpoint_path
from realitycheck.training.assemble import assemble
from realitycheck.training.course import Training
from realitycheck.training.run_checkpoints import RunCheckpoints, checkpoints_of
from realitycheck.training.single_run import run

SPACES = Path(__file__).parents[1] / "protocols" / "spaces" / "v2.yaml"
OLD_PHASES = "phases: [{name: normal, cap: 30, evaluate_every: 10, patience: 2}]"
PHASES = (
    "phases: [{name: normal, cap: 6, evaluate_every: 3, patience: 3}, "
    "{name: followup, cap: 3, evaluate_every: 3, patience: 3}]"
)
CHANGES = {
    "trials: 3, startup_trials: 2, round: 1, space: v1, shared: {}": "trials: 1, startup_trials: 1, round: 1, "
    "space: v2, shared: {followup_trunk_lr_scale: 0.5, followup_embedder_lr_scale: 0.5}",
    "collapse: 1e-4": "collapse: 0.0",
}
WRAPPED = {
    "cross_batch_memory": "contrastive",
    "hierarchical_proxy": "proxy_anchor",
    "threshold_consistent_margin": "contrastive",
}


class Killed(BaseException):
    """A process that is killed right after a checkpoint."""


@dataclass(frozen=True)
class Home:
    """A study of some losses, prepared; its runs are short, in two phases, on 28 pixels."""

    plan: DatasetPlan
    trainval: str
    folder: Path

    def fold_run(self, label: str) -> RunSpec:
        search = next(loss.searches[0] for loss in self.plan.losses if loss.searches[0].label == label)
        space = self.plan.protocol.space_of(search.choice, "pictures")
        spec = search.trial_runs(slot=0, knobs={name: middle(bounds) for name, bounds in space.items()})[0]
        return replace(spec, sources={})  # their digests take most of the time of so short a run

    def complete_run(self, label: str) -> RunSpec:
        phases = (
            {"name": "normal", "iterations": 5, "record_every": 3},
            {"name": "followup", "iterations": 4, "record_every": 3},
        )
        return replace(self.fold_run(label), fold=None, dims=16, phases=phases)

    def run(self, spec: RunSpec, *, seconds: float | None = None, tell: Tell = unheard) -> dict[str, Any]:
        """Train, or continue from the checkpoint; the body of the record."""
        place = TrainingPlace(self.trainval, str(self.folder), "cpu", None, seconds)
        return run({"spec": spec.to_json(), "place": asdict(place), "keep": False}, tell=tell).body

    def kill(self, spec: RunSpec, *, at: int) -> Path:
        """Train from zero up to the checkpoint at an iteration, and no further; the file of the checkpoint."""
        honest = RunCheckpoints.offer
        self.path(spec).unlink(missing_ok=True)

        def offer(self, state, *, evaluated):
            if state.__self__.trainer.iteration == at:
                honest(self, state, evaluated=evaluated)
                raise Killed

        try:
            with mock.patch.object(RunCheckpoints, "offer", offer):
                body = self.run(spec, seconds=0.0)
        except Killed:
            return self.path(spec)
        raise AssertionError(f"the run ended before iteration {at}: {body['cause']}")

    def continued(self, spec: RunSpec) -> Training:
        """A training that has resumed from its checkpoint and taken no further step."""
        place = TrainingPlace(self.trainval, str(self.folder), "cpu", None)
        trainer, train, val = assemble(spec, place)
        checkpoints = checkpoints_of(spec, place, trainer.device)
        training = Training(spec=spec, trainer=trainer, train=train, val=val, checkpoints=checkpoints, tell=unheard)
        training.resume(checkpoints.find())
        return training

    def path(self, spec: RunSpec) -> Path:
        return checkpoint_path(self.folder, spec.id)


def prepared(folder: Path, losses: dict[str, str], *, phases: str = PHASES) -> Home:
    """Write a study of these losses, label → its YAML, and decode its images."""
    protocol = PROTOCOL
    for old, new in (CHANGES | {OLD_PHASES: phases}).items():
        assert old in protocol
        protocol = protocol.replace(old, new)
    chosen = "".join(f"  {label}: {choice}\n" for label, choice in losses.items())
    study = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", f"losses:\n{chosen}")
    study = study.replace("baseline: contrastive", f"baseline: {next(iter(losses))}")
    path = write_study(folder, protocol=protocol, study=study)
    shutil.copy(SPACES, folder / "protocols" / "spaces" / "v2.yaml")
    read = read_study(path)
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    return Home(plan, str(stores.trainval), folder / "cache")


def menu_choice(name: str) -> str:
    """A loss of the menu as a study names it; a wrapper with a loss in it."""
    return f'{{loss: "{name}({WRAPPED[name]})"}}' if name in WRAPPED else "{}"


SPACES_OF = {
    "Trained": "{weight: 0.5, loss_lr: 0.01, followup_loss_lr_scale: 0.5}",
    "ClosedKnob": "{weight: 0.5, followup_weight: 0.25}",
}


def plug_in_choice(name: str) -> str:
    """A loss of this file as a study names it."""
    space = SPACES_OF.get(name, "{weight: 0.5}")
    return f'{{loss: "{__name__}:{name}", distance: cosine, family: pairs, space: {space}}}'


class _Counts:
    """An object of Python code that a loss keeps."""

    def __init__(self) -> None:
        self.seen = 0


class PlugIn(Loss):
    """Pulls embeddings to a point that depends on the state, so that other state is another loss."""

    def __init__(self, *, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return (embeddings - self.weight * self.advance(embeddings.detach())).square().mean()

    def advance(self, embeddings: Tensor) -> Tensor | float:
        """Change the state, and return a number or a point that depends on all of it."""
        raise NotImplementedError


class Attributes(PlugIn):
    """A number, a list of tensors that two attributes share, a dict, an object."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.count = 0
        self.queue = self.alias = []
        self.latest = deque(maxlen=2)
        self.sums = {"mean": 0.0}
        self.counts = _Counts()
        self.running = None

    def advance(self, embeddings):
        self.count += 1
        self.counts.seen += len(embeddings)
        self.queue.append(embeddings.mean(dim=0))
        self.latest.append(float(embeddings[0, 0]))
        self.sums["mean"] += float(embeddings.mean())
        self.running = embeddings.std(dim=0) if self.running is None else 0.5 * self.running + embeddings.std(dim=0)
        level = self.count + 0.01 * self.counts.seen + sum(self.latest) + self.sums["mean"]
        return torch.stack(self.alias).mean(dim=0) + self.running + level


class Generators(PlugIn):
    """Generators of its own."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.python, self.numpy = random.Random(3), np.random.default_rng(3)
        self.old, self.torch = np.random.RandomState(3), torch.Generator().manual_seed(3)

    def advance(self, embeddings):
        drawn = torch.rand((), generator=self.torch)
        return drawn + self.python.random() + self.numpy.random() + self.old.random_sample()


class GlobalDraws(PlugIn):
    """Draws from the global generators, one of them with a Gaussian in reserve."""

    def advance(self, embeddings):
        return torch.rand(()) + random.gauss(0, 1) + np.random.standard_normal() + np.random.random()


class Buffers(PlugIn):
    """A buffer that is not persistent, and an array."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.register_buffer("mean", torch.zeros(()), persistent=False)
        self.steps = np.zeros(2, dtype=np.int32)

    def advance(self, embeddings):
        self.mean.mul_(0.5).add_(embeddings.mean())
        self.steps[0] += 1
        return self.mean + float(self.steps[0])


class Trained(PlugIn):
    """A layer that is frozen from the fourth step on."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.layer = nn.Linear(1, 1)
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, embeddings, labels):
        self.steps += 1
        if self.steps == 4:
            self.layer.requires_grad_(requires_grad=False)
        return super().forward(embeddings, labels) + self.layer(embeddings.mean().reshape(1)).square().sum()

    def advance(self, embeddings):
        return 0.1


class ClosedKnob(PlugIn):
    """A function that holds a hyper-parameter, which has another value in the second phase."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.scaled = lambda value: weight * value

    def advance(self, embeddings):
        return self.scaled(2.0)


TICKS = [0]


class GlobalState(PlugIn):
    """State in a global of its file, which no checkpoint holds."""

    def advance(self, embeddings):
        TICKS[0] += 1
        return float(TICKS[0])


class ClosedState(PlugIn):
    """State in a closure, which no checkpoint holds."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        steps = 0

        def following() -> int:
            nonlocal steps
            steps += 1
            return steps

        self.following = following

    def advance(self, embeddings):
        return float(self.following())


class OddState(PlugIn):
    """An iterator, which no checkpoint holds."""

    def __init__(self, *, weight: float) -> None:
        super().__init__(weight=weight)
        self.numbers = iter(range(1000))

    def advance(self, embeddings):
        return float(next(self.numbers))
