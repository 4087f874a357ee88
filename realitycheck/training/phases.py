"""Early stopping of a training phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Plateau:
    """Early stopping of one phase of a fold run. Iterations are counted from the start of the phase.

    Args:
        cap: maximum number of iterations.
        evaluate_every: iterations between evaluations.
        patience: number of consecutive evaluations without a new best after which the phase ends.
        best: value that a new best must exceed: the best of earlier phases, or minus infinity.
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
        """Build from a phase of a `RunSpec`."""
        return cls(cap=phase["cap"], evaluate_every=phase["evaluate_every"], patience=phase["patience"], best=best)

    @property
    def next_evaluation(self) -> int:
        """Iteration of the next evaluation; the last one is at the cap."""
        return min(self.iterations + self.evaluate_every, self.cap)

    def update(self, iteration: int, value: float) -> bool:
        """Record the value of an evaluation and return whether it is a new best."""
        self.iterations = iteration
        if value > self.best:
            self.best, self.best_iteration, self.stale = value, iteration, 0
            return True
        self.stale += 1
        return False

    @property
    def stop(self) -> str | None:
        """Reason for which the phase has ended (`patience` or `cap`), or None before."""
        if self.stale >= self.patience:
            return "patience"
        return "cap" if self.iterations >= self.cap else None
