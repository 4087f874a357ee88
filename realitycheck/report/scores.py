"""The rows of the main table: every loss, category and metric, with what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, Replicate
from realitycheck.records.schema import Run
from realitycheck.report.labels import RECONSTRUCTION
from realitycheck.runs import Category
from realitycheck.statistics.intervals import Interval, mean_of, t_interval


@dataclass(frozen=True, slots=True)
class Cell:
    """One category and metric of one loss.

    Args:
        category: how fold models became a score.
        metric: one of the protocol's.
        values: the score of each replicate in [0, 1], in the order of the seeds; None where there is none.
        mean: of those there are, or None.
        interval: None with fewer than two values.
        diverged: replicates that will never have this score.
        pending: replicates that do not have it yet.
    """

    category: Category
    metric: str
    values: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    diverged: int
    pending: int

    @property
    def n(self) -> int:
        """How many replicates have this score."""
        return len(self.values) - self.missing

    @property
    def missing(self) -> int:
        """How many replicates lack it, for whatever reason."""
        return self.diverged + self.pending


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the main table.

    Args:
        label: the loss, or the untrained model.
        distance: the one that the loss declares; its scores are primary.
        status: how near the loss is to the published one (`labels.statuses`); empty where the house does not know.
        trained: False for the rows of untrained models.
        exploratory: whether something of it was settled after the test half had been opened.
        cells: one for every category and metric.
    """

    label: str
    distance: str
    status: str
    trained: bool
    exploratory: bool
    cells: tuple[Cell, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand beside the name wherever it is told apart from another: `reconstruction`, `exploratory`."""
        said = {RECONSTRUCTION: self.status == RECONSTRUCTION, "exploratory": self.exploratory}
        return tuple(mark for mark, holds in said.items() if holds)

    def cell(self, category: Category, metric: str) -> Cell:
        """The cell of one column."""
        return next(cell for cell in self.cells if (cell.category, cell.metric) == (category, metric))


def make_row(evidence: LossEvidence, protocol: Protocol, *, status: str, exploratory: bool) -> Row:
    """The row of one loss with a cell for every category and metric."""
    return _row(evidence, protocol, status=status, trained=True, exploratory=exploratory)


def make_untrained_row(evidence: LossEvidence, protocol: Protocol) -> Row:
    """The row of one untrained model."""
    return _row(evidence, protocol, status="", trained=False, exploratory=False)


def _row(evidence: LossEvidence, protocol: Protocol, *, status: str, trained: bool, exploratory: bool) -> Row:
    columns = [(category, metric) for category in protocol.categories for metric in protocol.metrics]
    return Row(
        label=evidence.label,
        distance=evidence.distance,
        status=status,
        trained=trained,
        exploratory=exploratory,
        cells=tuple(_cell(evidence, protocol, *column) for column in columns),
    )


def _cell(evidence: LossEvidence, protocol: Protocol, category: Category, metric: str) -> Cell:
    there = [evidence.score(replicate, category=category, metric=metric) for replicate in evidence.replicates]
    # Before the search has chosen, and for good if nothing could be chosen, there are no replicates at all.
    values = (*there, *(None for _ in range(protocol.final.seeds - len(there))))
    known = [value for value in values if value is not None]
    barren = any(search.trials and search.all_trials_diverged for search in evidence.searches)
    diverged = len(values) if barren else _lost(evidence.replicates, protocol, category)
    return Cell(
        category=category,
        metric=metric,
        values=values,
        mean=mean_of(known) if known else None,
        interval=t_interval(known, level=protocol.interval.level, over="seeds") if len(known) > 1 else None,
        diverged=diverged,
        pending=len(values) - len(known) - diverged,
    )


def _lost(replicates: tuple[Replicate, ...], protocol: Protocol, category: Category) -> int:
    """How many replicates a divergence robs of this score for good."""
    if category is not Category.COMPLETE:
        return sum(any(map(_diverged, replicate.fold_runs)) for replicate in replicates)
    pooled = protocol.final.complete == "appendix_d"
    every = tuple(run for each in replicates for run in each.fold_runs)
    return sum(_diverged(each.complete_run) or _no_lengths(every if pooled else each.fold_runs) for each in replicates)


def _no_lengths(fold_runs: tuple[Run | None, ...]) -> bool:
    """Whether no fold run is left to give a complete run its phase lengths."""
    return bool(fold_runs) and all(_diverged(run) for run in fold_runs)


def _diverged(run: Run | None) -> bool:
    return run is not None and run.diverged
