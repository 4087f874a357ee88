"""Scores of the losses, and of the untrained embedder, under an evaluation that the protocol names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from matplotlib.axes import Axes

from realitycheck.evaluations.menu import pair_list_in, pairs_and_seed
from realitycheck.records.evidence import LossEvidence
from realitycheck.report.blocks import Estimate
from realitycheck.report.drawing import GREY, line_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.runs import CLEAN
from realitycheck.statistics.intervals import mean_of, t_interval

SEEDS_ALONE = "The intervals are Student's t over seeds: they leave out the luck of the search, so no verdict is given."
"""A sentence below every table of these."""


@dataclass(frozen=True, slots=True)
class SeedScores:
    """One score of one row.

    Args:
        values: one per replicate that has it, in [0, 1].
        mean: of them; None where there is none.
        half_width: of Student's t interval over seeds; None for fewer than two.
    """

    values: tuple[float, ...]
    mean: float | None
    half_width: float | None

    @property
    def cell(self) -> Estimate:
        """As a cell of a table, in percent."""
        return Estimate(self.mean, self.half_width)


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PairEvaluation(Generic[Row]):
    """One evaluation of pairs of test images.

    Args:
        evaluation: its name with options.
        pairs: how many of each kind; of a published list, how many of two classes.
        seed: by which they were drawn; None for those of a published list.
        rows: the losses with scores, then the untrained embedder.
    """

    evaluation: str
    pairs: int
    seed: int | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class PairEvaluations(Generic[Row]):
    """All evaluations of one kind."""

    evaluations: tuple[PairEvaluation[Row], ...]


def pair_evaluations(
    dataset: DatasetFindings, kinds: Sequence[str], row_of: Callable[[LossEvidence, str], Row | None]
) -> PairEvaluations[Row] | None:
    """The evaluations of some kinds; None where the protocol names none, or nothing is scored.

    Args:
        dataset: the findings.
        kinds: the names on the menu, without options.
        row_of: the scores of a row under an evaluation; None without any.
    """
    every = []
    for name in named_evaluations(dataset, *kinds):
        rows = [row_of(row, name) for row in evaluated_rows(dataset)]
        known = tuple(row for row in rows if row is not None)
        every.append(PairEvaluation(name, *_drawn(dataset, name), known))
    return PairEvaluations(tuple(every)) if any(one.rows for one in every) else None


def _drawn(dataset: DatasetFindings, name: str) -> tuple[int, int | None]:
    """How many pairs an evaluation has, and the seed by which they were drawn."""
    if pair_list_in(name) is None:
        return pairs_and_seed(name.partition(":")[2])
    replicates = chain.from_iterable(row.replicates for row in evaluated_rows(dataset))
    records = (one.scores[name] for one in replicates if name in one.scores)
    scores = chain.from_iterable((record.folds, record.complete) for record in records)
    return next((score.singletons // 2 for score in scores if score), 0), None


def named_evaluations(dataset: DatasetFindings, *kinds: str) -> list[str]:
    """The evaluations of some kinds that the protocol names, with options."""
    return [name for name in dataset.protocol.evaluations if name.partition(":")[0] in kinds]


def evaluated_rows(dataset: DatasetFindings) -> list[LossEvidence]:
    """The losses in the study's order, then the untrained embedder."""
    untrained = [row for row in dataset.evidence.untrained if row.evaluation == CLEAN]
    return [*dataset.evidence.losses, *untrained]


def seed_scores(dataset: DatasetFindings, row: LossEvidence, *, evaluation: str, metric: str) -> SeedScores:
    """A score of the primary category of a row, replicate by replicate."""
    values = [
        replicate.score(category=dataset.study.category, metric=metric, distance=row.distance, evaluation=evaluation)
        for replicate in row.replicates
    ]
    return summary(dataset, (value for value in values if value is not None))


def summary(dataset: DatasetFindings, values: Iterable[float]) -> SeedScores:
    """The mean and the half-width of some values."""
    known, level = tuple(values), dataset.study.level
    wide = t_interval(known, level=level, over="seeds").half_width if len(known) > 1 else None
    return SeedScores(known, mean_of(known) if known else None, wide)


def paint_curve(
    panel: Axes, dataset: DatasetFindings, label: str, places: Sequence[float], scores: Sequence[SeedScores]
) -> None:
    """Draw one row in percent: the mean over seeds, and a band from the lowest to the highest seed."""
    trained = label in dataset.labels
    line = line_of(label, dataset.labels) if trained else {"color": GREY, "ls": "--", "lw": 1.6}
    lows, highs = ([100 * end(score.values) for score in scores] for end in (min, max))
    panel.fill_between(places, lows, highs, color=line["color"], alpha=0.15, lw=0)
    means = [100 * mean_of(score.values) for score in scores]
    panel.plot(places, means, label=label, **{**line, "marker": ""})  # too many points for markers


def finish_panel(panel: Axes) -> None:
    """A grid, and the legend beside the panel."""
    panel.grid()
    panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
