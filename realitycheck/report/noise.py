"""The noise floor: how far apart one function comes out under several names, and whether other losses lie further."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from realitycheck.report.scores import Row
from realitycheck.report.words import points, spelled
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator, Scores, differences, present
from realitycheck.statistics.intervals import Interval, mean_of

GROUP = "their mean"
"""What another loss is compared with in place of each name: the mean of all names, seed by seed."""


LATE = "They were declared to be one function after the test half had been opened."
"""What stands beside a noise floor that nobody had announced."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two losses paired by seed, the one with the higher scores first; `interval` is None with one common seed."""

    higher: str
    lower: str
    gap: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Floor:
    """The names of one function in one column.

    Args:
        category: the column's category.
        metric: its metric.
        names: those with scores.
        low: the lowest of their means, in [0, 1].
        high: the highest.
        sd: the standard deviation of these means, with n − 1.
        largest: the pair of names that is furthest apart.
        pairs: how many pairs of different losses there are: each other loss with the names' mean, others with others.
        closer: those of them that are no further apart than the largest pair of names.
    """

    category: Category
    metric: str
    names: int
    low: float
    high: float
    sd: float
    largest: Pair
    pairs: int
    closer: tuple[Pair, ...]

    @property
    def spread(self) -> float:
        """The highest minus the lowest mean."""
        return self.high - self.low

    @property
    def further(self) -> int:
        """Pairs of different losses that are further apart than any two names."""
        return self.pairs - len(self.closer)


@dataclass(frozen=True, slots=True)
class Noise:
    """What the names of one function tell of a protocol's noise on one dataset.

    Args:
        labels: the names.
        floors: one for every column in which two of them have scores.
        sentence: what a reader takes home, in the primary column.
        late: whether the names were declared to be one after the test half had been opened.
    """

    labels: tuple[str, ...]
    floors: tuple[Floor, ...]
    sentence: str
    late: bool

    def floor(self, category: Category, metric: str) -> Floor | None:
        """The floor of one column."""
        return next((each for each in self.floors if (each.category, each.metric) == (category, metric)), None)


def noise(
    rows: Sequence[Row], *, same: Sequence[str], primary: tuple[Category, str], estimator: Estimator, late: bool
) -> Noise | None:
    """The noise floor of one dataset, or None where no losses are declared to be the same."""
    labels = tuple(row.label for row in rows if row.label in same)
    if not labels:
        return None
    columns = [(cell.category, cell.metric) for cell in rows[0].cells]
    found = {column: _floor(*column, _scores(rows, column), labels, estimator) for column in columns}
    floors = tuple(floor for floor in found.values() if floor)
    return Noise(labels, floors, noise_sentence(labels, found.get(primary)), late)


def noise_sentence(labels: Sequence[str], floor: Floor | None) -> str:
    """`Five names of one function spread over 0.12 points; 9 of 10 pairs of different losses lie further apart.`"""
    if floor is None:
        return f"{spelled(len(labels))} names of one function wait for their scores."
    told = f"{spelled(floor.names)} names of one function spread over {points(floor.spread)} points"
    if not floor.pairs:
        return f"{told}."
    return f"{told}; {floor.further} of {floor.pairs} pairs of different losses lie further apart."


def _scores(rows: Sequence[Row], column: tuple[Category, str]) -> dict[str, Scores]:
    """Label → one score per seed, of the losses that have any."""
    cells = {row.label: row.cell(*column) for row in rows}
    return {label: cell.values for label, cell in cells.items() if cell.n}


def _floor(
    category: Category, metric: str, scores: Mapping[str, Scores], labels: Sequence[str], estimator: Estimator
) -> Floor | None:
    names = {label: values for label, values in scores.items() if label in labels}
    others = {label: values for label, values in scores.items() if label not in labels}
    equal = _pairs(names, estimator)
    if not equal:
        return None
    largest = equal[-1]
    different = _pairs({GROUP: _mean_by_seed(names), **others}, estimator)
    closer = tuple(pair for pair in different if pair.gap <= largest.gap)
    return Floor(category, metric, *_spread(names), largest, len(different), closer)


def _spread(names: Mapping[str, Scores]) -> tuple[int, float, float, float]:
    """How many names, the lowest and the highest of their means, and the standard deviation of these."""
    means = [mean_of([value for value in values if value is not None]) for values in names.values()]
    return len(means), min(means), max(means), statistics.stdev(means)


def _pairs(scores: Mapping[str, Scores], estimator: Estimator) -> list[Pair]:
    """All pairs with a common seed, the nearest first."""
    found = [_pair(one, other, scores, estimator) for one, other in combinations(scores, 2)]
    return sorted((pair for pair in found if pair), key=lambda pair: pair.gap)


def _pair(one: str, other: str, scores: Mapping[str, Scores], estimator: Estimator) -> Pair | None:
    gaps = present(differences(scores[one], scores[other]))
    if not gaps:
        return None
    if mean_of(gaps) < 0:
        return _pair(other, one, scores, estimator)
    return Pair(one, other, mean_of(gaps), estimator.difference(scores[one], scores[other]))


def _mean_by_seed(names: Mapping[str, Scores]) -> Scores:
    """The mean of all names, seed by seed; None where one of them has no score."""
    columns = [[value for value in column if value is not None] for column in zip(*names.values(), strict=True)]
    return [mean_of(column) if len(column) == len(names) else None for column in columns]
