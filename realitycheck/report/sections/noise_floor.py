"""The noise floor: differences between several names of one function, beside those between different losses."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import Block, Column, Content, Figure, Heading, Note, Paragraph, Strong, Table, rows_of
from realitycheck.report.drawing import BAND, draw
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.forest import height_of, paint_scores
from realitycheck.report.late import NAMING
from realitycheck.report.rows import ScoreRow
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import (
    DASH,
    enumeration,
    metric_name,
    optional_span,
    percent,
    points,
    signed,
    spelled,
)
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator, Fit, LossScores, ReplicateScores, differences, present
from realitycheck.statistics.intervals import Interval, mean_of

GROUP = "the mean of these names"
"""The mean of all names, seed by seed: it is compared with other losses in place of each name."""


LATE = "They were declared to be one function after the test half had been opened."
"""The note beside a noise floor that was not declared beforehand."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two losses paired by seed, the one with the higher scores first; `interval` is None with too few common seeds."""

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
        pairs: number of pairs of different losses: each other loss with the names' mean, others with others.
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
    """The spread of the names of one function on one dataset.

    Args:
        labels: the names.
        floors: one for every column in which two of them have scores.
        sentence: the result in the primary column.
        late: whether the names were declared to be one function after the test half had been opened.
    """

    labels: tuple[str, ...]
    floors: tuple[Floor, ...]
    sentence: str
    late: bool

    def floor(self, category: Category, metric: str) -> Floor | None:
        """The floor of one column."""
        return next((floor for floor in self.floors if (floor.category, floor.metric) == (category, metric)), None)


def find(dataset: DatasetFindings) -> Noise | None:
    """Find the noise floor of one dataset, or None where no losses are declared to be the same."""
    study = dataset.study
    return noise(
        dataset.rows,
        same=study.same,
        primary=(study.category, study.metric),
        estimator=study.estimator,
        late=NAMING in dataset.changed_claims,
    )


def noise(
    rows: Sequence[ScoreRow], *, same: Sequence[str], primary: tuple[Category, str], estimator: Estimator, late: bool
) -> Noise | None:
    """Compute the noise floor of some rows, or None where none of them is named in `same`."""
    labels = tuple(row.label for row in rows if row.label in same)
    if not labels:
        return None
    columns = [(cell.category, cell.metric) for cell in rows[0].cells]
    by_column = {column: _floor(*column, _scores(rows, column), labels, estimator) for column in columns}
    floors = tuple(floor for floor in by_column.values() if floor)
    return Noise(labels, floors, noise_sentence(labels, by_column.get(primary)), late)


def noise_sentence(labels: Sequence[str], floor: Floor | None) -> str:
    """`Five names of one function spread over 0.12 points; 9 of 10 pairs of different losses are further apart.`"""
    if floor is None:
        return f"{spelled(len(labels))} names of one function have no scores so far."
    spread = f"{spelled(floor.names)} names of one function spread over {points(floor.spread)} points"
    if not floor.pairs:
        return f"{spread}."
    return f"{spread}; {floor.further} of {floor.pairs} pairs of different losses are further apart."


def blocks(dataset: DatasetFindings, facts: Noise) -> Iterator[Block]:
    """Print the sentence, the table of every column, and the figure of the primary one."""
    study = dataset.study
    yield Heading(3, "Noise floor")
    yield Paragraph(f"{facts.sentence} {LATE}" if facts.late else facts.sentence)
    names = enumeration([study.shown(label) for label in facts.labels])
    searches = "a search" if study.searches == 1 else "searches"
    yield Note(
        f"The names of the function: {names}. Each name had {searches} and runs of its own. With equal ranges the "
        "spread is noise alone, of retraining and of the search. A difference between "
        "other losses that is no larger is no evidence that they differ."
    )
    if facts.floors:
        yield _table(dataset, facts)
    floor = facts.floor(study.category, study.metric)
    if floor:
        yield _figure(dataset, facts, floor)


def _table(dataset: DatasetFindings, facts: Noise) -> Table:
    study = dataset.study
    numbers = ("Spread", "Deviation"), ("Difference", f"{percent(study.level)} interval", "Further apart")
    return Table(
        (
            Column("Column"),
            *(Column(head, number=True) for head in numbers[0]),
            Column("Furthest apart"),
            *(Column(head, number=True) for head in numbers[1]),
        ),
        rows_of([_line(dataset, floor) for floor in facts.floors]),
        caption="In percentage points. Spread: highest minus lowest mean of the names. Deviation: standard deviation "
        "of their means. Further apart: pairs of different losses with a larger gap than the largest among the names; "
        "these are each other loss against the names' mean, and the others among each other.",
        notes=tuple(_notes(dataset, facts)),
    )


def _line(dataset: DatasetFindings, floor: Floor) -> tuple[Content, ...]:
    study, pair = dataset.study, floor.largest
    name = f"{study.categories[floor.category]} {metric_name(floor.metric)}"
    return (
        Strong(name) if name == study.primary else name,
        points(floor.spread),
        points(floor.sd),
        f"{study.shown(pair.higher)} over {study.shown(pair.lower)}",
        signed(pair.gap),
        optional_span(pair.interval),
        f"{floor.further} of {floor.pairs}" if floor.pairs else DASH,
    )


def _notes(dataset: DatasetFindings, facts: Noise) -> Iterator[str]:
    study = dataset.study
    if len(facts.labels) > 2:
        yield (
            "The two names furthest apart were chosen after seeing the scores, so their interval excludes 0 more often "
            "than that of a pair named beforehand."
        )
    floor = facts.floor(study.category, study.metric)
    if floor and floor.closer:
        pairs = (
            f"{study.shown(pair.higher)} and {study.shown(pair.lower)} ({points(pair.gap)})" for pair in floor.closer
        )
        yield f"Pairs of different losses that are no further apart in {study.primary}: {'; '.join(pairs)}."


def _figure(dataset: DatasetFindings, facts: Noise, floor: Floor) -> Figure:
    """The names of one function on top, the shade from their lowest to their highest mean across all losses."""
    rows = sorted(dataset.rows, key=lambda row: row.label not in facts.labels)

    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        panel.axvspan(100 * floor.low, 100 * floor.high, color=BAND, lw=0, zorder=0)
        paint_scores(panel, dataset, rows, floor.category, untrained=())
        if len(rows) > len(facts.labels):
            panel.axhline(len(facts.labels) - 0.43, color="#8A9099", lw=0.8, zorder=1)

    return draw(
        paint,
        name=dataset.figure_name("noise"),
        height=height_of(len(rows)),
        title=f"Scores of the {len(facts.labels)} names of one function and of other losses on {dataset.dataset}",
        caption="The names of one function above the line, other losses below. Shaded: from the lowest to the highest "
        "mean of the names. Score of every seed (small marks) below the mean (thin tick) and its "
        f"{percent(dataset.study.level)} interval (bar).",
    )


def _scores(rows: Sequence[ScoreRow], column: tuple[Category, str]) -> dict[str, LossScores]:
    """Scores by label, of the losses with any."""
    cells = {row.label: row.cell(*column) for row in rows}
    return {label: cell.scores for label, cell in cells.items() if cell.n}


def _floor(
    category: Category, metric: str, scores: Mapping[str, LossScores], labels: Sequence[str], estimator: Estimator
) -> Floor | None:
    names = {label: own for label, own in scores.items() if label in labels}
    others = {label: own for label, own in scores.items() if label not in labels}
    equal = _pairs(names, estimator)
    if not equal:
        return None
    largest = equal[-1]
    together = LossScores(_mean_by_seed([own.replicates for own in names.values()]))
    different = _pairs({GROUP: together, **others}, estimator)
    closer = tuple(pair for pair in different if pair.gap <= largest.gap)
    return Floor(category, metric, *_spread(names), largest, len(different), closer)


def _spread(names: Mapping[str, LossScores]) -> tuple[int, float, float, float]:
    """Number of names, the lowest and the highest of their means, and the standard deviation of these."""
    means = [mean_of(present(own.replicates)) for own in names.values()]
    return len(means), min(means), max(means), statistics.stdev(means)


def _pairs(scores: Mapping[str, LossScores], estimator: Estimator) -> list[Pair]:
    """All pairs with a common seed, the nearest first."""
    fit = estimator.fit(scores, losses=len(scores))
    pairs = [_pair(one, other, scores, fit, estimator.level) for one, other in combinations(scores, 2)]
    return sorted((pair for pair in pairs if pair), key=lambda pair: pair.gap)


def _pair(one: str, other: str, scores: Mapping[str, LossScores], fit: Fit, level: float) -> Pair | None:
    gaps = present(differences(scores[one].replicates, scores[other].replicates))
    if not gaps:
        return None
    if mean_of(gaps) < 0:
        return _pair(other, one, scores, fit, level)
    difference = fit.difference(one, other)
    return Pair(one, other, mean_of(gaps), difference.interval(level) if difference else None)


def _mean_by_seed(names: Sequence[ReplicateScores]) -> ReplicateScores:
    """The mean of all names, seed by seed; None where one of them has no score."""
    columns = [[value for value in column if value is not None] for column in zip(*names, strict=True)]
    return [mean_of(column) if len(column) == len(names) else None for column in columns]


SECTION = Section(
    name="noise",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
