"""A run in progress: its phases, what it has measured, and a checkpoint of it all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realitycheck.errors import Diverged, RunError
from realitycheck.executors.base import Tell
from realitycheck.metrics.menu import METRICS
from realitycheck.metrics.retrieval import scores
from realitycheck.records.curves import Best, CurvePoint, PhaseEnd, TrainingPoint
from realitycheck.runs import RunSpec
from realitycheck.training.assemble import enter_followup
from realitycheck.training.checkpoint import Snapshot
from realitycheck.training.embed import embed
from realitycheck.training.embedding_model import spread
from realitycheck.training.generators import generator_states, set_generator_states
from realitycheck.training.loop import Sums, Trainer
from realitycheck.training.module_attributes import attributes_tree, restore_attributes
from realitycheck.training.phases import Plateau
from realitycheck.training.restored_values import Decoder
from realitycheck.training.run_checkpoints import RunCheckpoints
from realitycheck.training.value_trees import Encoder, Tree


@dataclass(slots=True)
class Training:
    """A run in progress: the trainer and its history.

    Attributes:
        start: parameters of the loss before the first iteration.
        moved: whether training changed a parameter of the loss, also if the selected checkpoint is iteration 0.
        entered: whether the next phase has begun.
        plateau: early stopping of this phase, where it is validated.
        kept: the state at the best evaluation of this phase, or at its start.
    """

    spec: RunSpec
    trainer: Trainer
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    checkpoints: RunCheckpoints
    tell: Tell
    start: list[Tensor] = field(init=False)
    best: Best | None = None
    curve: list[CurvePoint] = field(default_factory=list)
    intervals: list[TrainingPoint] = field(default_factory=list)
    phases: list[PhaseEnd] = field(default_factory=list)
    moved: bool = False
    entered: bool = False
    plateau: Plateau | None = None
    kept: Snapshot | None = None

    def __post_init__(self) -> None:
        self.start = [parameter.detach().clone() for parameter in self.trainer.loss.parameters()]

    def go(self) -> None:
        """Run every phase that is left; afterwards the trainer's model is the selected one.

        Raises:
            Diverged: if the loss or the embeddings are not finite, or the embeddings collapse.
        """
        if len(self.val) and not self.curve:
            self._evaluate(None)
        for phase in self.spec.phases[len(self.phases) :]:
            if not self.entered:
                self._enter(phase)
            self.phases.append(self._by_length(phase) if "iterations" in phase else self._by_validation(phase))
            self.entered, self.plateau, self.kept = False, None, None
        self.moved |= self._loss_moved()
        if self.spec.phases and self.start and not self.moved:
            raise RunError("no parameter of the loss changed during the run; its optimiser group has no effect.")

    def tree(self) -> Tree:
        """Return the state of this run, between two iterations, for `resume` to continue from.

        Raises:
            NotKept: if a module holds a value that a checkpoint cannot hold.
        """
        trainer = self.trainer
        state = {
            "best": self.best and asdict(self.best),
            "curve": [asdict(point) for point in self.curve],
            "intervals": [asdict(point) for point in self.intervals],
            "phases": [asdict(end) for end in self.phases],
            "moved": self.moved,
            "plateau": self.plateau and asdict(self.plateau),
            "kept": self.kept and dict(self.kept.states),
            "iteration": trainer.iteration,
            "sums": trainer.sums and [trainer.sums.iterations, trainer.sums.values],
            "parts": {name: dict(part.state_dict()) for name, part in trainer.parts.items()},
            "generators": generator_states(trainer.device),
        }
        return [Encoder(names={}, storages=None).tree(state, "state"), attributes_tree(trainer.modules)]

    def resume(self, tree: Tree) -> None:
        """Continue a new run from the state of an earlier attempt.

        Raises:
            NotKept: if the modules were built in another way, or hold a value that only training makes.
        """
        trainer, (kept, attributes) = self.trainer, tree
        state: Mapping[str, Any] = Decoder(named={}, device=trainer.device).value(kept)
        self.best = state["best"] and Best(**state["best"])
        self.curve = [CurvePoint(**point) for point in state["curve"]]
        self.intervals = [TrainingPoint(**point) for point in state["intervals"]]
        self.phases = [PhaseEnd(**end) for end in state["phases"]]
        self.moved, self.entered = state["moved"], True
        self.plateau = state["plateau"] and Plateau(**state["plateau"])
        self.kept = state["kept"] and Snapshot(state["kept"])
        if self.spec.phases[len(self.phases)]["name"] == "followup":
            enter_followup(trainer, self.spec)
        Snapshot(state["parts"]).restore(trainer.parts)
        restore_attributes(trainer.modules, attributes, device=trainer.device)
        trainer.iteration = state["iteration"]
        trainer.sums = state["sums"] and Sums(*state["sums"])
        set_generator_states(state["generators"], trainer.device)
        self._tell()

    def _enter(self, phase: Mapping[str, Any]) -> None:
        if phase["name"] == "followup":
            enter_followup(self.trainer, self.spec)
        if phase.get("first_evaluation") == "selectable":
            self.best = Best(0, phase["name"], self.curve[0].scores)
        if "iterations" not in phase:
            self.plateau = Plateau.begin(phase, best=self.best.scores["map_at_r"] if self.best else -math.inf)
            self.kept = Snapshot.take(self.trainer.parts)
        self.entered = True

    def _by_length(self, phase: Mapping[str, Any]) -> PhaseEnd:
        length, every = phase["iterations"], phase["record_every"]
        while (done := self._in_phase()) < length:
            self._advance(phase["name"], min(every, length - done))
            self._tell()
            self.checkpoints.offer(self.tree, evaluated=True)
        self._check(self.train[:: max(1, len(self.train) // 1000)])
        return PhaseEnd(name=phase["name"], iterations=length, best_iteration=length, stop="length")

    def _in_phase(self) -> int:
        """Return the iterations of this phase up to the last interval that ended."""
        in_interval = self.trainer.sums.iterations if self.trainer.sums else 0
        return self.trainer.iteration - in_interval - sum(end.iterations for end in self.phases)

    def _by_validation(self, phase: Mapping[str, Any]) -> PhaseEnd:
        trainer, plateau = self.trainer, self.plateau
        assert plateau is not None and self.kept is not None
        while not plateau.stop:
            self._advance(phase["name"], plateau.next_evaluation - plateau.iterations)
            point = self._evaluate(phase["name"])
            if plateau.update(self._in_phase(), point.scores["map_at_r"]):
                self.best = Best(point.iteration, phase["name"], point.scores)
                self.kept = Snapshot.take(trainer.parts)
            self.checkpoints.offer(self.tree, evaluated=True)
        self.moved |= self._loss_moved()
        self.kept.restore(trainer.parts)
        return PhaseEnd(
            name=phase["name"],
            iterations=plateau.iterations,
            best_iteration=plateau.best_iteration,
            stop=plateau.stop,
        )

    def _advance(self, phase: str, iterations: int) -> None:
        means = self.trainer.advance(iterations, between=self._between, tell=self._tell)
        self.intervals.append(TrainingPoint(self.trainer.iteration, phase, means.loss, means.proxy_distance))

    def _between(self) -> None:
        """Between two iterations of an interval."""
        self._tell()
        self.checkpoints.offer(self.tree, evaluated=False)

    def _tell(self) -> None:
        """Report the iterations so far; a phase that has not ended counts with its cap or its length."""
        left = self.spec.phases[len(self.phases) :]
        ended = sum(end.iterations for end in self.phases)
        self.tell(self.trainer.iteration, ended + sum(phase.get("iterations", phase.get("cap")) for phase in left))

    def _evaluate(self, phase: str | None) -> CurvePoint:
        self._tell()
        distance = self.spec.loss["distance"] if self.spec.loss else "cosine"
        labels = torch.from_numpy(self.trainer.store.labels[self.val])
        result = scores(self._check(self.val), labels, distance=distance, between=self._tell)
        point = CurvePoint(
            iteration=self.trainer.iteration,
            phase=phase,
            scores={name: getattr(result, name) for name in METRICS},
        )
        self.curve.append(point)
        return point

    def _check(self, indices: NDArray[np.int64]) -> Tensor:
        trainer = self.trainer
        embeddings = embed(
            trainer.model,
            trainer.store,
            indices,
            output="embedder",
            recipe=trainer.recipe,
            device=trainer.device,
            between=self._tell,
        )
        if not bool(embeddings.isfinite().all()):
            raise Diverged(f"embeddings were not finite at iteration {trainer.iteration}")
        width = spread(embeddings)
        if width < trainer.recipe.collapse:
            raise Diverged(f"embeddings collapsed to a spread of {width:.2e} at iteration {trainer.iteration}")
        return embeddings

    def _loss_moved(self) -> bool:
        return moved(self.start, self.trainer.loss)


def moved(start: list[Tensor], loss: nn.Module) -> bool:
    """Return whether a parameter of the loss differs from what it was at the start."""
    return any(not torch.equal(old, new) for old, new in zip(start, loss.parameters(), strict=True))
