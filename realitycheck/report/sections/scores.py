"""The main table: test scores of every loss in every category, and their figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import (
    Block,
    Column,
    Content,
    Estimate,
    Figure,
    Heading,
    LatexTable,
    Marked,
    RowGroup,
    Table,
    Text,
)
from realitycheck.report.drawing import draw
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.forest import SEARCHES, height_of, paint_scores
from realitycheck.report.rows import ScoreCell, ScoreRow, best_labels
from realitycheck.report.sections import warning_list
from realitycheck.report.sections.base import Section
from realitycheck.report.study_facts import StudyFacts
from realitycheck.report.wording import FOOTNOTE, METRIC_NAMES, metric_name, percent, safe_name
from realitycheck.runs import Category

WIDEST = 9
"""Columns that fit on a page beside the names of the losses: three categories with the three scores of every study."""


NARROW = 4
"""Columns of a LaTeX table, names among them, that fit one column of a page of two."""

WITHIN = ", with the variance within searches"
"""How retraining is distinguished from the luck of the search."""

DEFAULTS = (
    " A row (default) is the published setting of the loss, retrained under the same seeds. What the setting does not "
    "state is in the middle of its range. Nothing was searched for it: its interval is Student's t over seeds."
)
"""The note on rows of published settings."""

PUBLISHED = (Category.COMPLETE, Category.ENSEMBLE, Category.AGGREGATE)
"""The order of the categories in tables VI to VIII of DeMoor and Prevost (2024)."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The rows of the table: of every loss, of their published settings, and of the untrained models."""

    rows: tuple[ScoreRow, ...]
    defaults: tuple[ScoreRow, ...]
    untrained: tuple[ScoreRow, ...]

    @property
    def every(self) -> tuple[ScoreRow, ...]:
        """All rows, in the order of the table."""
        return (*self.by_loss, *self.untrained)

    @property
    def by_loss(self) -> tuple[ScoreRow, ...]:
        """The row of each loss, followed by that of its published setting."""
        if not self.defaults:
            return self.rows
        return tuple(row for pair in zip(self.rows, self.defaults, strict=True) for row in pair)


def find(dataset: DatasetFindings) -> ScoreTable:
    """Every dataset has this section."""
    return ScoreTable(dataset.rows, dataset.defaults, dataset.untrained)


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
    best = best_labels(facts.every)
    return [_table(dataset, facts, categories, best, HalfWidth.BOTH) for categories in side_by_side(dataset)]


def side_by_side(dataset: DatasetFindings) -> list[list[Category]]:
    """The categories of each table: all in one, or one in each where the columns would not fit."""
    # The primary one first: on a screen of 1280 px three categories do not fit beside the names.
    categories = sorted(dataset.study.categories, key=lambda one: one is not dataset.study.category)
    fits = len(categories) * len(dataset.metrics) <= WIDEST
    return [categories] if fits else [[category] for category in categories]


def _latex(dataset: DatasetFindings, facts: ScoreTable) -> Iterator[LatexTable]:
    """All categories for both columns, each one for one column, and the layout of the published tables."""
    study, best = dataset.study, best_labels(facts.every)
    together = list(study.categories)
    level = percent(study.level)
    fits = len(together) * len(dataset.metrics) <= WIDEST
    own = f"mean and half-width of the {level} interval by {study.estimator.method}"
    if fits and len(together) > 1:
        yield _paper(dataset, facts, together, best, HalfWidth.OWN, "all", f"All categories: {own}.")
    for category in together:
        name = study.categories[category]
        yield _paper(dataset, facts, [category], best, HalfWidth.OWN, category.value, f"{name}: {own}.")
    if fits:
        about = (
            "In the layout of tables VI to VIII of DeMoor and Prevost (2024): mean and half-width of Student's t over "
            "seeds (retraining only)."
        )
        yield _paper(
            dataset,
            facts,
            [one for one in PUBLISHED if one in together],
            best,
            HalfWidth.RETRAINING,
            "published",
            about,
        )


def _paper(
    dataset: DatasetFindings,
    facts: ScoreTable,
    categories: Sequence[Category],
    best: Sequence[str | None],
    half: HalfWidth,
    name: str,
    about: str,
) -> LatexTable:
    study = dataset.study
    table = _table(dataset, facts, categories, best, half)
    caption = f"{study.study} on {dataset.dataset}. {table.caption}"
    label = f"tab:{safe_name(study.study)}-{safe_name(dataset.dataset)}-{name}"
    own = Table(table.columns, table.groups, caption, warning_list.notes_below(dataset))
    return LatexTable(own, label, about, wide=len(table.columns) > NARROW)


class HalfWidth(Enum):
    """Which half-widths a table prints: the estimator's, those of Student's t over seeds, or both."""

    OWN = "own"
    RETRAINING = "retraining"
    BOTH = "both"


def _table(
    dataset: DatasetFindings,
    facts: ScoreTable,
    categories: Sequence[Category],
    best: Sequence[str | None],
    half: HalfWidth,
) -> Table:
    study = dataset.study
    shown = HalfWidth.OWN if half is HalfWidth.BOTH and not study.own_interval else half
    columns = [
        Column(metric_name(metric), number=True, group=study.categories[category])
        for category in categories
        for metric in dataset.metrics
    ]
    groups = [
        RowGroup(
            tuple(_line(row, categories, best, shown) for row in rows),
            muted=muted,
        )
        for rows, muted in ((facts.by_loss, False), (facts.untrained, True))
        if rows
    ]
    return Table((Column("Loss"), *columns), tuple(groups), _unit(study, shown))


def _unit(study: StudyFacts, half: HalfWidth) -> str:
    seeds, level = f"{study.seeds} seeds", percent(study.level)
    if half is HalfWidth.RETRAINING:
        return f"Percent; mean ± half-width of the {level} interval of Student's t over {seeds} (retraining only)."
    searches = f" of {study.searches} searches" if study.searches > 1 else ""
    unit = f"Percent; mean ± half-width of the {level} interval over {seeds}{searches}."
    if half is HalfWidth.BOTH:
        unit += " In brackets: retraining only, Student's t over seeds"
        unit += f"{WITHIN if study.searches > 1 else ''}, as a paper with one setting prints it."
    return unit


def _line(
    row: ScoreRow, categories: Sequence[Category], best: Sequence[str | None], half: HalfWidth
) -> tuple[Content, ...]:
    cells = [
        _estimate(cell, half, best=row.label == label)
        for category in categories
        for cell, label in zip(row.cells, best or [None] * len(row.cells), strict=True)
        if cell.category is category
    ]
    return (Marked(row.label, row.every_mark), *cells)


def _estimate(cell: ScoreCell, half: HalfWidth, *, best: bool) -> Estimate:
    shown = cell.retraining if half is HalfWidth.RETRAINING else cell.interval
    other = cell.retraining if half is HalfWidth.BOTH and cell.retraining != cell.interval else None
    return Estimate(cell.mean, shown.half_width if shown else None, best, other.half_width if other else None)


def _notes(dataset: DatasetFindings) -> tuple[Text, ...]:
    reading = (
        "Bold: highest mean of the column, untrained models among them, whether or not the difference is significant. "
        "Each loss is scored with the distance that it declares. Diverged replicates have no score; their number is "
        "given beside the name. The untrained trunk is scored on its pooled features, whatever their width; where "
        "nothing in it is random (deterministic), it is scored once and has no interval."
    )
    defaults = DEFAULTS if dataset.defaults else ""
    estimator = dataset.study.estimator
    covers = " ".join(filter(None, (estimator.covers, estimator.of_scores)))
    return (covers, reading + defaults, *([FOOTNOTE] if dataset.study.reconstructed else []))


def _figure(dataset: DatasetFindings) -> Figure:
    study, beside = dataset.study, (*dataset.defaults, *dataset.untrained)
    names = "Default settings and untrained models" if dataset.defaults else "Untrained models"

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(study.categories), sharey=True, squeeze=False).ravel()
        for panel, category in zip(panels, study.categories, strict=True):
            paint_scores(panel, dataset, dataset.rows, category, untrained=beside)

    return draw(
        paint,
        name=dataset.figure_name("scores"),
        height=height_of(len(dataset.rows) + len(beside)),
        title=f"{METRIC_NAMES[study.metric]} of every seed with intervals, by category, on {dataset.dataset}",
        caption=f"Score of every seed (small marks) below the mean (thin tick) and its {percent(study.level)} interval "
        f"(bar). {_searches(study)}{names} are below the line; an arrow has the mean of one that is outside. "
        "The panels have different axes.",
    )


def _searches(study: StudyFacts) -> str:
    return f"{SEARCHES} " if study.searches > 1 else ""


def _keys(facts: ScoreTable) -> Mapping[str, Any]:
    defaults = {"defaults": facts.defaults} if facts.defaults else {}
    return {"rows": facts.rows, "untrained": facts.untrained, **defaults}


SECTION = Section(
    name="scores",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=_keys,
    latex=_latex,
)
