"""The main table: test scores of every loss in every category, and their figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import Block, Column, Content, Estimate, Figure, Heading, Marked, RowGroup, Table, Text
from realitycheck.report.drawing import draw
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.forest import height_of, paint_scores
from realitycheck.report.rows import ScoreCell, ScoreRow, best_labels
from realitycheck.report.sections import warning_list
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import FOOTNOTE, METRIC_NAMES, metric_name, percent
from realitycheck.runs import Category

WIDEST = 9
"""Columns that fit on a page beside the names of the losses: three categories with the three scores of every study."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The rows of the table: of every loss, and of the untrained models."""

    rows: tuple[ScoreRow, ...]
    untrained: tuple[ScoreRow, ...]


def find(dataset: DatasetFindings) -> ScoreTable:
    """Every dataset has this section."""
    return ScoreTable(dataset.rows, dataset.untrained)


def blocks(dataset: DatasetFindings, facts: ScoreTable) -> Iterator[Block]:
    """Print one table, or one per category where the columns do not fit side by side, and the figure."""
    yield Heading(3, "Test scores")
    *first, last = tables(dataset, facts)
    yield from first
    yield Table(last.columns, last.groups, last.caption, notes=_notes(dataset))
    if any(cell.n for row in facts.rows for cell in row.cells):
        yield _figure(dataset)


def tables(dataset: DatasetFindings, facts: ScoreTable) -> list[Table]:
    """The tables without notes."""
    best = best_labels((*facts.rows, *facts.untrained))
    return [_table(dataset, facts, categories, best) for categories in side_by_side(dataset)]


def side_by_side(dataset: DatasetFindings) -> list[list[Category]]:
    """The categories of each table: all in one, or one in each where the columns would not fit."""
    categories = list(dataset.study.categories)
    fits = len(categories) * len(dataset.metrics) <= WIDEST
    return [categories] if fits else [[category] for category in categories]


def _latex(dataset: DatasetFindings, facts: ScoreTable) -> list[Table]:
    study = dataset.study
    warned = warning_list.note(warning_list.find(dataset).warnings)
    notes = (*([FOOTNOTE] if study.reconstructed else []), warned)
    return [
        Table(table.columns, table.groups, f"{study.study} on {dataset.dataset}. {table.caption}", notes)
        for table in tables(dataset, facts)
    ]


def _table(
    dataset: DatasetFindings, facts: ScoreTable, categories: Sequence[Category], best: Sequence[str | None]
) -> Table:
    study = dataset.study
    columns = [
        Column(metric_name(metric), number=True, group=study.categories[category])
        for category in categories
        for metric in dataset.metrics
    ]
    groups = [
        RowGroup(
            tuple(_line(row, categories, best, retraining=study.own_interval) for row in rows),
            muted=muted,
        )
        for rows, muted in ((facts.rows, False), (facts.untrained, True))
        if rows
    ]
    searches = f" of {study.searches} searches" if study.searches > 1 else ""
    unit = f"Percent; mean ± half-width of the {percent(study.level)} interval over {study.seeds} seeds{searches}."
    if study.own_interval:
        unit += " In brackets: the half-width of Student's t over seeds alone (retraining only), as papers print it."
    return Table((Column("Loss"), *columns), tuple(groups), unit)


def _line(
    row: ScoreRow, categories: Sequence[Category], best: Sequence[str | None], *, retraining: bool
) -> tuple[Content, ...]:
    cells = [
        _estimate(cell, best=row.label == label, retraining=retraining)
        for cell, label in zip(row.cells, best or [None] * len(row.cells), strict=True)
        if cell.category in categories
    ]
    return (Marked(row.label, row.every_mark), *cells)


def _estimate(cell: ScoreCell, *, best: bool, retraining: bool) -> Estimate:
    inner = cell.retraining.half_width if retraining and cell.retraining and cell.retraining != cell.interval else None
    return Estimate(cell.mean, cell.interval.half_width if cell.interval else None, best, inner)


def _notes(dataset: DatasetFindings) -> tuple[Text, ...]:
    reading = (
        "Bold: highest mean of the column, untrained models among them, whether or not the difference is significant. "
        "Each loss is scored with the distance that it declares. Diverged replicates have no score; their number is "
        "given beside the name. The untrained trunk is scored on its pooled features, whatever their width; where "
        "nothing in it is random (deterministic), it is scored once and has no interval."
    )
    return (dataset.study.estimator.covers, reading, *([FOOTNOTE] if dataset.study.reconstructed else []))


def _figure(dataset: DatasetFindings) -> Figure:
    study = dataset.study

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(study.categories), sharey=True, squeeze=False).ravel()
        for panel, category in zip(panels, study.categories, strict=True):
            paint_scores(panel, dataset, dataset.rows, category)

    return draw(
        paint,
        name=dataset.figure_name("scores"),
        height=height_of(len(dataset.rows)),
        title=f"{METRIC_NAMES[study.metric]} of every seed with intervals, by category, on {dataset.dataset}",
        caption=f"Score of every seed (small marks) below the mean (thin tick) and its {percent(study.level)} interval "
        "(bar). The panels have different axes.",
    )


SECTION = Section(
    name="scores",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"rows": facts.rows, "untrained": facts.untrained},
    latex=_latex,
)
