"""The scores of a loss in every category and metric, and how many are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from realitycheck.metrics.menu import metric_entry
from realitycheck.plan.searches import replicate_numbers
from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.report.lost import lost
from realitycheck.report.near_scores import loss_scores
from realitycheck.report.wording import NOT_IN_JSON, RECONSTRUCTION
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator, Fit, LossScores, present
from realitycheck.statistics.intervals import Interval, mean_of, within_interval
from realitycheck.statistics.student_t import StudentT


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """One category and metric of one loss.

    Args:
        category: how fold models become a score.
        metric: one of the protocol's.
        values: the score of each replicate in [0, 1], search by search; None for a missing one. A single one where
            nothing in the row is random.
        mean: of the known values, or None.
        interval: by the protocol's estimator; None where the values are too few.
        retraining: Student's t over seeds alone, by the variance within searches: what a paper with as many runs of one
            setting prints; None where the values are too few.
        search_means: the mean over the replicates of each search, or None.
        diverged: replicates that cannot have this score.
        pending: replicates that do not have it yet.
        scores: the values with those of near-best settings and of classes, as estimators take them.
    """

    category: Category
    metric: str
    values: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    retraining: Interval | None
    search_means: tuple[float | None, ...]
    diverged: int
    pending: int
    scores: LossScores = field(metadata=NOT_IN_JSON)

    @property
    def n(self) -> int:
        """Number of replicates with this score."""
        return len(self.values) - self.missing

    @property
    def missing(self) -> int:
        """Number of replicates without it, for whatever reason."""
        return self.diverged + self.pending


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The scores of one loss, or of one untrained model.

    Args:
        label: the loss, or the untrained model.
        distance: the one that the loss declares; its scores are primary.
        status: `exact`, `variant` or `reconstruction`, by the menu of losses; empty for a loss that is not on it.
        trained: False for the rows of untrained models.
        exploratory: whether a part of it was decided after the test half had been opened.
        late: whether it was FAILED when the test half was opened, and completed after that.
        constant: whether nothing in it is random, so that one score is that of every seed.
        cells: one for every category and metric.
    """

    label: str
    distance: str
    status: str
    trained: bool
    exploratory: bool
    late: bool
    constant: bool
    cells: tuple[ScoreCell, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be read beside the name in every comparison: `exploratory`, `late` and others."""
        known = {
            RECONSTRUCTION: self.status == RECONSTRUCTION,
            "exploratory": self.exploratory,
            "late": self.late,
            "deterministic": self.constant,
        }
        return tuple(mark for mark, holds in known.items() if holds)

    @property
    def every_mark(self) -> tuple[str, ...]:
        """The same, with the counts of diverged and pending replicates."""
        diverged = max(cell.diverged for cell in self.cells)
        pending = max(cell.pending for cell in self.cells)
        counts = {f"{diverged} of {len(self.cells[0].values)} diverged": diverged, f"{pending} pending": pending}
        return (*self.marks, *(mark for mark, number in counts.items() if number))

    def cell(self, category: Category, metric: str) -> ScoreCell:
        """The cell of one column."""
        return next(cell for cell in self.cells if (cell.category, cell.metric) == (category, metric))


def make_rows(
    losses: Sequence[LossEvidence],
    protocol: Protocol,
    estimator: Estimator,
    *,
    statuses: Mapping[str, str],
    exploratory: Collection[str],
    late: Collection[str],
) -> tuple[ScoreRow, ...]:
    """The rows of all losses, with a cell for every category and metric; the intervals of a column come from one fit.

    Args:
        losses: in the study's order.
        protocol: how it is measured.
        estimator: makes the intervals.
        statuses: label → status by the menu of losses.
        exploratory: labels of the losses of which a part was decided after the test half had been opened.
        late: labels of the losses that were completed after it.
    """
    rows = [
        replace(
            _row(loss, protocol, status=statuses[loss.label], trained=True),
            exploratory=loss.label in exploratory,
            late=loss.label in late,
        )
        for loss in losses
    ]
    fits = [
        estimator.fit({row.label: row.cells[place].scores for row in rows}, losses=len(rows))
        for place in range(len(protocol.categories) * len(protocol.metrics))
    ]
    level = estimator.level
    return tuple(_with_intervals(row, fits, [_within(cell, level) for cell in row.cells], level) for row in rows)


def make_default_rows(
    losses: Sequence[LossEvidence],
    protocol: Protocol,
    *,
    level: float,
    statuses: Sequence[str],
    exploratory: Sequence[bool],
) -> tuple[ScoreRow, ...]:
    """The rows of published settings; nothing is searched, so their intervals are Student's t over seeds.

    Args:
        losses: the row of each loss's published setting.
        protocol: how it is measured.
        level: of the intervals.
        statuses: the status of each loss by the menu of losses.
        exploratory: whether each was asked for after the test half had been opened.
    """
    rows = []
    for loss, status, after in zip(losses, statuses, exploratory, strict=True):
        row = replace(_row(loss, protocol, status=status, trained=True), exploratory=after)
        rows.append(_unsearched(row, level))
    return tuple(rows)


def make_untrained_row(evidence: LossEvidence, protocol: Protocol, *, level: float) -> ScoreRow:
    """The row of one untrained model; its intervals are Student's t over seeds, or none where nothing is random."""
    row = _row(evidence, protocol, status="", trained=False)
    return row if row.constant else _unsearched(row, level)


def _unsearched(row: ScoreRow, level: float) -> ScoreRow:
    """A row whose models all have one setting, with Student's t over seeds as both intervals."""
    rule = StudentT(level=level, searches=1)
    fits = [rule.fit({row.label: LossScores(cell.values)}, losses=1) for cell in row.cells]
    means = [fit.loss(row.label) for fit in fits]
    return _with_intervals(row, fits, [mean.interval(level) if mean else None for mean in means], level)


def _with_intervals(
    row: ScoreRow, fits: Sequence[Fit], retraining: Sequence[Interval | None], level: float
) -> ScoreRow:
    cells = []
    for cell, fit, alone in zip(row.cells, fits, retraining, strict=True):
        mean = fit.loss(row.label)
        cells.append(replace(cell, interval=mean.interval(level) if mean else None, retraining=alone))
    return replace(row, cells=tuple(cells))


def _within(cell: ScoreCell, level: float) -> Interval | None:
    """The interval over seeds alone: the replicates of each search share a setting."""
    share = len(cell.values) // len(cell.search_means)
    parts = [cell.values[start : start + share] for start in range(0, len(cell.values), share)]
    return within_interval([present(part) for part in parts], level=level)


def _row(evidence: LossEvidence, protocol: Protocol, *, status: str, trained: bool) -> ScoreRow:
    columns = [(category, metric) for category in protocol.categories for metric in protocol.metrics]
    return ScoreRow(
        label=evidence.label,
        distance=evidence.distance,
        status=status,
        trained=trained,
        exploratory=False,
        late=False,
        constant=evidence.constant,
        cells=tuple(_cell(evidence, protocol, *column) for column in columns),
    )


@dataclass(frozen=True, slots=True)
class Share:
    """The scores of one search in a cell.

    Args:
        values: one per replicate of the search, in order; None for a missing one.
        diverged: replicates that cannot have this score.
    """

    values: tuple[float | None, ...]
    diverged: int

    @property
    def mean(self) -> float | None:
        """Mean of the known scores, or None."""
        known = present(self.values)
        return mean_of(known) if known else None

    @property
    def pending(self) -> int:
        """Number of replicates without a score so far."""
        return len(self.values) - len(present(self.values)) - self.diverged


def search_share(
    evidence: LossEvidence, search: SearchEvidence, protocol: Protocol, *, category: Category, metric: str
) -> Share:
    """Collect the scores of one search; before it has chosen, or if all its trials diverged, it has no replicates."""
    numbers = range(1) if evidence.constant else replicate_numbers(protocol, search=search.number)
    known = {
        replicate.index: evidence.score(replicate, category=category, metric=metric) for replicate in search.replicates
    }
    values = tuple(known.get(index) for index in numbers)
    gone = len(numbers) if search.all_trials_diverged else sum(lost(search.replicates, protocol, category))
    return Share(values, gone)


def _cell(evidence: LossEvidence, protocol: Protocol, category: Category, metric: str) -> ScoreCell:
    """One cell without its intervals."""
    shares = [
        search_share(evidence, search, protocol, category=category, metric=metric) for search in evidence.searches
    ]
    values = tuple(value for share in shares for value in share.values)
    known = present(values)
    return ScoreCell(
        category=category,
        metric=metric,
        values=values,
        mean=mean_of(known) if known else None,
        interval=None,
        retraining=None,
        search_means=tuple(share.mean for share in shares),
        diverged=sum(share.diverged for share in shares),
        pending=sum(share.pending for share in shares),
        scores=loss_scores(evidence, values, protocol, category=category, metric=metric),
    )


def best_labels(rows: Sequence[ScoreRow]) -> list[str | None]:
    """The row with the best mean in every column; None in a column without a mean."""
    return [_best(rows, cells) for cells in zip(*(row.cells for row in rows), strict=True)]


def _best(rows: Sequence[ScoreRow], cells: Sequence[ScoreCell]) -> str | None:
    means = [(cell.mean, row.label) for row, cell in zip(rows, cells, strict=True) if cell.mean is not None]
    better = max if metric_entry(cells[0].metric)[0].higher_is_better else min
    return better(means, key=lambda pair: pair[0])[1] if means else None
