"""What is recorded while a run trains: validations, the selected checkpoint, the ends of phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.runs import Body


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One validation of a fold run.

    Args:
        iteration: counted from the start of the run, over all its phases.
        phase: `normal`, `followup`, or None before the first phase.
        scores: the scores that every record holds, in [0, 1], by name.
    """

    iteration: int
    phase: str | None
    scores: Mapping[str, float]

    def to_json(self) -> Body:
        """This point as plain JSON values."""
        return {"iteration": self.iteration, "phase": self.phase, **self.scores}


@dataclass(frozen=True, slots=True)
class TrainingPoint:
    """Means over one evaluation interval of a run.

    Args:
        iteration: the end of the interval, counted from the start of the run, over all its phases.
        phase: `normal` or `followup`.
        loss: mean training loss of the batches.
        proxy_distance: mean distance between an embedding and the vector of its own class, over the batches, each
            before its step (DeMoor and Prevost 2024, Eq. 9); both L2-normalised where the loss declares the cosine
            distance. None for a loss without one learned vector per class, and where it is not finite.
    """

    iteration: int
    phase: str
    loss: float
    proxy_distance: float | None

    def to_json(self) -> Body:
        """This point as plain JSON values."""
        return {
            "iteration": self.iteration,
            "phase": self.phase,
            "loss": self.loss,
            "proxy_distance": self.proxy_distance,
        }


@dataclass(frozen=True, slots=True)
class Best:
    """The selected checkpoint of a fold run.

    Args:
        iteration: counted from the start of the run, over all its phases; 0 where the protocol lets the initial weights
            be selected and no later checkpoint was better.
        phase: `normal` or `followup`.
        scores: the scores that every record holds, of the validation classes, in [0, 1], by name.
    """

    iteration: int
    phase: str
    scores: Mapping[str, float]

    def to_json(self) -> Body:
        """This checkpoint as plain JSON values."""
        return {"iteration": self.iteration, "phase": self.phase, **self.scores}


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """How one phase of a run ended.

    Args:
        name: `normal` or `followup`.
        iterations: how many the phase took.
        best_iteration: iterations of the phase up to the selected checkpoint; 0 where the phase brought no new best.
        stop: `patience`, `cap`, or `length` for a complete run.
    """

    name: str
    iterations: int
    best_iteration: int
    stop: str

    def to_json(self) -> Body:
        """This phase as plain JSON values."""
        return {
            "name": self.name,
            "iterations": self.iterations,
            "best_iteration": self.best_iteration,
            "stop": self.stop,
        }


@dataclass(frozen=True, slots=True)
class Images:
    """How many images a run used.

    Args:
        train: images that it trained on.
        val: images that it was validated on; 0 for a complete run.
    """

    train: int
    val: int
