"""What the records say of a sweep: the validation score of a loss against one hyper-parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realitycheck.records.schema import Run
from realitycheck.runs import Category


class SeededSetting(Protocol):
    """A setting under one seed, as a replicate is."""

    @property
    def fold_runs(self) -> tuple[Run | None, ...]:
        """K runs, None where one is missing."""

    def score(self, *, category: Category, metric: str, distance: str) -> float | None:
        """The test score of one category, or None."""


@dataclass(frozen=True, slots=True)
class SweptPoint:
    """One value under each seed.

    Args:
        value: as the sampler sees it.
        replicates: one per seed.
        tested: whether it is scored on the test half: the opening declares it.
    """

    value: float | int
    replicates: tuple[SeededSetting, ...]
    tested: bool

    @property
    def runs(self) -> tuple[tuple[Run | None, ...], ...]:
        """The K fold runs under each seed, None where one is missing."""
        return tuple(replicate.fold_runs for replicate in self.replicates)

    def test_scores(self, *, category: Category, metric: str, distance: str) -> tuple[float | None, ...]:
        """The test score under each seed, None where it is missing; none where no sweep is declared."""
        every = self.replicates if self.tested else ()
        return tuple(one.score(category=category, metric=metric, distance=distance) for one in every)

    @property
    def values(self) -> tuple[float | None, ...]:
        """The mean over folds of the best validation MAP@R under each seed; None where one is missing or diverged."""
        return tuple(mean_value(runs) for runs in self.runs)

    @property
    def pending(self) -> int:
        """Fold runs that are not recorded."""
        return sum(run is None for runs in self.runs for run in runs)

    @property
    def diverged(self) -> int:
        """Seeds of which a fold run diverged."""
        return sum(any(run is not None and run.diverged for run in runs) for runs in self.runs)


@dataclass(frozen=True, slots=True)
class SweptKnob:
    """One hyper-parameter of one loss.

    Args:
        label: the loss.
        knob: the hyper-parameter.
        chosen: its value in the chosen setting.
        points: in the order of the values, the chosen one among them.
    """

    label: str
    knob: str
    chosen: float | int
    points: tuple[SweptPoint, ...]


def mean_value(runs: Sequence[Run | None]) -> float | None:
    """The mean of the values of K fold runs; None where one has none."""
    known = [value for run in runs if run is not None and (value := run.value) is not None]
    return math.fsum(known) / len(runs) if len(known) == len(runs) else None
