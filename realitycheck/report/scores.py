"""The rows of the main table: every loss, category and metric, with what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, Replicate, SearchEvidence
from realitycheck.records.schema import Run
from realitycheck.report.labels import RECONSTRUCTION
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator, present
from realitycheck.statistics.intervals import Interval, mean_of


@dataclass(frozen=True, slots=True)
class Cell:
    """One category and metric of one loss.

    Args:
        category: how fold models became a score.
        metric: one of the protocol's.
        values: the score of each replicate in [0, 1], numbered through all searches; None where there is none.
        mean: of those there are, or None.
        interval: None where the values are too few.
        search_means: the mean over the replicates of each search, or None.
        diverged: replicates that will never have this score.
        pending: replicates that do not have it yet.
    """

    category: Category
    metric: str
    values: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    search_means: tuple[float | None, ...]
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


def make_row(
    evidence: LossEvidence, protocol: Protocol, estimator: Estimator, *, status: str, exploratory: bool
) -> Row:
    """The row of one loss with a cell for every category and metric."""
    return _row(evidence, protocol, estimator, status=status, trained=True, exploratory=exploratory)


def make_untrained_row(evidence: LossEvidence, protocol: Protocol, estimator: Estimator) -> Row:
    """The row of one untrained model."""
    return _row(evidence, protocol, estimator, status="", trained=False, exploratory=False)


def _row(
    evidence: LossEvidence, protocol: Protocol, estimator: Estimator, *, status: str, trained: bool, exploratory: bool
) -> Row:
    columns = [(category, metric) for category in protocol.categories for metric in protocol.metrics]
    return Row(
        label=evidence.label,
        distance=evidence.distance,
        status=status,
        trained=trained,
        exploratory=exploratory,
        cells=tuple(_cell(evidence, protocol, estimator, *column) for column in columns),
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What one search contributes to a cell.

    Args:
        values: one per replicate of the search, in order; None where there is no score.
        diverged: replicates that will never have this score.
    """

    values: tuple[float | None, ...]
    diverged: int

    @property
    def mean(self) -> float | None:
        """Their mean, or None."""
        known = present(self.values)
        return mean_of(known) if known else None

    @property
    def pending(self) -> int:
        """How many replicates have no score yet."""
        return len(self.values) - len(present(self.values)) - self.diverged


def search_share(
    evidence: LossEvidence, search: SearchEvidence, protocol: Protocol, *, category: Category, metric: str
) -> Share:
    """The part of one search in a cell; before it has chosen, and for good if it cannot, it has no replicate at all."""
    size = protocol.final.seeds // protocol.search.searches
    known = {
        replicate.index: evidence.score(replicate, category=category, metric=metric) for replicate in search.replicates
    }
    values = tuple(known.get(index) for index in range(search.number * size, (search.number + 1) * size))
    hopeless = bool(search.trials) and search.all_trials_diverged
    return Share(values, size if hopeless else _lost(search.replicates, protocol, category))


def _cell(evidence: LossEvidence, protocol: Protocol, estimator: Estimator, category: Category, metric: str) -> Cell:
    shares = [
        search_share(evidence, search, protocol, category=category, metric=metric) for search in evidence.searches
    ]
    values = tuple(value for share in shares for value in share.values)
    known = present(values)
    return Cell(
        category=category,
        metric=metric,
        values=values,
        mean=mean_of(known) if known else None,
        interval=estimator.interval(values),
        search_means=tuple(share.mean for share in shares),
        diverged=sum(share.diverged for share in shares),
        pending=sum(share.pending for share in shares),
    )


def _lost(replicates: tuple[Replicate, ...], protocol: Protocol, category: Category) -> int:
    """How many replicates of one search lost this score for good by a divergence."""
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
