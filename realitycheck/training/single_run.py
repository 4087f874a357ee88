"""`run(RunSpec, TrainingPlace) -> Run`: one training. It never sees the test half."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realitycheck.errors import Diverged, RunError
from realitycheck.executors.base import Tell, VerbAnswer
from realitycheck.metrics.menu import METRICS
from realitycheck.metrics.retrieval import scores
from realitycheck.records.curves import Best, CurvePoint, Images, PhaseEnd, TrainingPoint
from realitycheck.records.schema import Run
from realitycheck.runs import Body, Outcome, RunSpec, TrainingPlace
from realitycheck.training.assemble import assemble, enter_followup
from realitycheck.training.checkpoint import Snapshot, save_weights, weights_digest
from realitycheck.training.embed import embed
from realitycheck.training.embedding_model import spread
from realitycheck.training.loop import Trainer
from realitycheck.training.phases import Plateau


def run(payload: Body, *, tell: Tell) -> VerbAnswer:
    """Train one model by `payload["spec"]` at `payload["place"]`.

    Args:
        payload: `spec`, `place`, and `keep`: whether its weights are stored.

    Returns:
        The body of its record, and the exception of the loss, if any.

    Raises:
        RunError: if the machine or the place fails; this is not a result.
    """
    spec, place = RunSpec.from_json(payload["spec"]), TrainingPlace(**payload["place"])
    trainer, train, val = assemble(spec, place)
    training = Training(
        spec=spec, trainer=trainer, train=train, val=val, best=None, curve=[], intervals=[], phases=[], moved=False
    )
    outcome, cause, raised = Outcome.COMPLETED, None, None
    try:
        training.go()
    except Diverged as error:
        outcome, cause, raised = Outcome.DIVERGED, str(error), error.__cause__
    if payload["keep"] and outcome is Outcome.COMPLETED:
        save_weights(Path(place.cache), spec, training.trainer.model)
    record = Run(
        spec=spec,
        outcome=outcome,
        cause=cause,
        best=training.best if outcome is Outcome.COMPLETED else None,
        curve=tuple(training.curve),
        phases=tuple(training.phases),
        images=Images(train=len(training.train), val=len(training.val)),
        weights=weights_digest(training.trainer.model.state_dict()) if outcome is Outcome.COMPLETED else None,
        training=tuple(training.intervals),
    )
    return VerbAnswer(record.to_json(), raised)


@dataclass(slots=True)
class Training:
    """A run in progress: the trainer and its history.

    `moved` is whether training changed a parameter of the loss, also if the selected checkpoint is iteration 0.
    """

    spec: RunSpec
    trainer: Trainer
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    best: Best | None
    curve: list[CurvePoint]
    intervals: list[TrainingPoint]
    phases: list[PhaseEnd]
    moved: bool

    def go(self) -> None:
        """Run every phase; afterwards the trainer's model is the selected one.

        Raises:
            Diverged: if the loss or the embeddings are not finite, or the embeddings collapse.
        """
        start = [parameter.detach().clone() for parameter in self.trainer.loss.parameters()]
        if len(self.val):
            self._evaluate(None)
        for phase in self.spec.phases:
            if phase["name"] == "followup":
                enter_followup(self.trainer, self.spec)
            if phase.get("first_evaluation") == "selectable":
                self.best = Best(0, phase["name"], self.curve[0].scores)
            self._by_length(phase) if "iterations" in phase else self._by_validation(phase, start)
        self.moved |= _moved(start, self.trainer.loss)
        if self.spec.phases and start and not self.moved:
            raise RunError("no parameter of the loss changed during the run; its optimiser group has no effect.")

    def _by_length(self, phase: Any) -> None:
        length, every = phase["iterations"], phase["record_every"]
        for start in range(0, length, every):
            self._advance(phase["name"], min(every, length - start))
        self.phases.append(PhaseEnd(name=phase["name"], iterations=length, best_iteration=length, stop="length"))
        self._check(self.train[:: max(1, len(self.train) // 1000)])

    def _by_validation(self, phase: Any, start: list[Tensor]) -> None:
        trainer, began = self.trainer, self.trainer.iteration
        plateau = Plateau.begin(phase, best=self.best.scores["map_at_r"] if self.best else -math.inf)
        kept = Snapshot.take(trainer.parts)
        while not plateau.stop:
            self._advance(phase["name"], plateau.next_evaluation - plateau.iterations)
            point = self._evaluate(phase["name"])
            if plateau.update(trainer.iteration - began, point.scores["map_at_r"]):
                self.best = Best(point.iteration, phase["name"], point.scores)
                kept = Snapshot.take(trainer.parts)
        self.moved |= _moved(start, trainer.loss)
        kept.restore(trainer.parts)
        assert plateau.stop is not None
        self.phases.append(
            PhaseEnd(
                name=phase["name"],
                iterations=plateau.iterations,
                best_iteration=plateau.best_iteration,
                stop=plateau.stop,
            )
        )

    def _advance(self, phase: str, iterations: int) -> None:
        means = self.trainer.advance(iterations)
        self.intervals.append(TrainingPoint(self.trainer.iteration, phase, means.loss, means.proxy_distance))

    def _evaluate(self, phase: str | None) -> CurvePoint:
        distance = self.spec.loss["distance"] if self.spec.loss else "cosine"
        labels = torch.from_numpy(self.trainer.store.labels[self.val])
        result = scores(self._check(self.val), labels, distance=distance)
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
        )
        if not bool(embeddings.isfinite().all()):
            raise Diverged(f"embeddings were not finite at iteration {trainer.iteration}")
        width = spread(embeddings)
        if width < trainer.recipe.collapse:
            raise Diverged(f"embeddings collapsed to a spread of {width:.2e} at iteration {trainer.iteration}")
        return embeddings


def _moved(start: list[Tensor], loss: nn.Module) -> bool:
    return any(not torch.equal(old, new) for old, new in zip(start, loss.parameters(), strict=True))
