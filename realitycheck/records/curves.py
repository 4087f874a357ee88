"""What is recorded while a run trains: validations, the selected checkpoint, the ends of phases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from realitycheck.runs import Body

T = TypeVar("T")


class RunPoints(Sequence[T]):
    """The points of a run that was read, each made when it is asked for: most of a large ledger's are not.

    Args:
        bodies: the points as plain JSON; their fields are checked.
        make: makes a point of its body.
    """

    __slots__ = ("_bodies", "_make")

    def __init__(self, bodies: Sequence[Body], make: Callable[[Body], T]) -> None:
        self._bodies, self._make = bodies, make

    def __len__(self) -> int:
        return len(self._bodies)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(map(self._make, self._bodies[place]))
        return self._make(self._bodies[place])

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._bodies)

    def column(self, name: str) -> list[Any]:
        """The values of one field, without making points."""
        return [body[name] for body in self._bodies]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RunPoints) and other._make is self._make:
            return self._bodies == other._bodies
        return isinstance(other, RunPoints | tuple) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(tuple(self))


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


def column(points: Sequence[Any], name: str) -> list[Any]:
    """The values of one field of all points, scores among them."""
    return points.column(name) if isinstance(points, RunPoints) else [point.to_json()[name] for point in points]


def by_iteration(points: Sequence[Any], name: str) -> list[tuple[int, Any]]:
    """The iteration and one field of each point."""
    return list(zip(column(points, "iteration"), column(points, name), strict=True))


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
