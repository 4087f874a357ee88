"""The estimate over the chosen trial and its replicates (docs/statistics.md, Estimators), and all estimates by name."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.verify.estimates import Fitted
from realitycheck.verify.estimates_of_luck import KINDS as OTHERS
from realitycheck.verify.estimates_of_luck import beside as beside_others
from realitycheck.verify.formulas import Estimated, Value, known, mean, variance


class Winner(Fitted):
    """Student's t over S + 1 runs: those of the replicates, then that of the chosen trial where it has a score."""

    method = "pooled_winner"

    def runs(self, label: str) -> list[Value]:
        """The scores of all runs of a loss."""
        column = self.columns[label]
        return [*column.values, column.winner]

    def of(self, values: Sequence[Value]) -> Estimated | None:
        """Student's t of some values, under its own name."""
        there = known(values)
        if len(there) < 2:
            return None
        error = (variance(there) / len(there)) ** 0.5
        return Estimated(mean(there), error, len(there) - 1, len(there), self.method, "seeds")

    def loss(self, label: str) -> Estimated | None:
        """The mean of one loss."""
        return self.of(self.runs(label))

    def difference(self, label: str, other: str) -> Estimated | None:
        """One loss minus another, run by run."""
        return self.of(_gaps(self.runs(label), self.runs(other)))

    def above(self, label: str, untrained: Sequence[Value]) -> Estimated | None:
        """One loss minus an untrained model; one with seeds has none that is the chosen trial's."""
        runs = self.runs(label)
        base = [untrained[0]] * len(runs) if len(untrained) == 1 else [*untrained, None]
        return self.of(_gaps(runs, base))


def _gaps(one: Sequence[Value], other: Sequence[Value]) -> list[Value]:
    return [None if a is None or b is None else a - b for a, b in zip(one, other, strict=True)]


KINDS: dict[str, type[Fitted]] = {**OTHERS, Winner.method: Winner}
"""Name of an estimator → its kind."""


def beside(method: str, *, searches: int) -> tuple[str | None, bool]:
    """The estimator that is printed beside another one, and whether a verdict needs both."""
    return ("runners_up", True) if method == Winner.method else beside_others(method, searches=searches)
