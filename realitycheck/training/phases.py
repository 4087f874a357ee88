"""When a phase ends: after so many evaluations without a new best, at its cap, or at a stated length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Plateau:
    """The progress of one phase of a fold run. Iterations are counted from the start of the phase.

    Args:
        cap: the phase ends after so many iterations.
        evaluate_every: iterations between evaluations.
        patience: the phase ends after so many evaluations in a row without a new best.
        best: the value to beat, strictly: of earlier phases, or minus infinity.
    """

    cap: int
    evaluate_every: int
    patience: int
    best: float
    best_iteration: int = 0
    iterations: int = 0
    stale: int = 0

    @classmethod
    def begin(cls, phase: Mapping[str, Any], *, best: float) -> Plateau:
        """The start of a phase of a `RunSpec`."""
        return cls(cap=phase["cap"], evaluate_every=phase["evaluate_every"], patience=phase["patience"], best=best)

    @property
    def next_evaluation(self) -> int:
        """The iteration of the next evaluation; the last one is at the cap."""
        return min(self.iterations + self.evaluate_every, self.cap)

    def saw(self, iteration: int, value: float) -> bool:
        """Take in an evaluation; whether it is a new best."""
        self.iterations = iteration
        if value > self.best:
            self.best, self.best_iteration, self.stale = value, iteration, 0
            return True
        self.stale += 1
        return False

    @property
    def stop(self) -> str | None:
        """Why the phase is over (`patience`, `cap`), or None while it is not."""
        if self.stale >= self.patience:
            return "patience"
        return "cap" if self.iterations >= self.cap else None
