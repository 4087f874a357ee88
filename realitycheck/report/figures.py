"""The figures of scores: every seed below its loss's mean and interval."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from realitycheck.report.drawing import BAND, INK, Look, draw, look_of, name_rows
from realitycheck.report.noise import Floor
from realitycheck.report.scores import Cell, Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import METRIC_NAMES
from realitycheck.runs import Category
from realitycheck.statistics.comparisons import Comparison

Values = Sequence[float | None]


def scores_figure(summary: Summary, dataset: DatasetSummary, *, name: str) -> str:
    """Every seed's score below its interval, one panel per category, in points of the primary metric."""

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(summary.categories), sharey=True, squeeze=False).ravel()
        for panel, category in zip(panels, summary.categories, strict=True):
            _paint_scores(panel, summary, dataset, dataset.rows, category)

    title = f"{METRIC_NAMES[summary.metric]} of every seed with intervals, by category, on {dataset.dataset}"
    return draw(paint, name=name, height=_height(len(dataset.rows)), title=title)


def noise_figure(summary: Summary, dataset: DatasetSummary, floor: Floor, *, name: str) -> str:
    """The names of one function on top, the shade from their lowest to their highest mean across all losses."""
    assert dataset.noise is not None
    names = dataset.noise.labels
    rows = sorted(dataset.rows, key=lambda row: row.label not in names)

    def paint(figure: Figure) -> None:
        panel = figure.subplots()
        panel.axvspan(100 * floor.low, 100 * floor.high, color=BAND, lw=0, zorder=0)
        _paint_scores(panel, summary, dataset, rows, floor.category)
        if len(rows) > len(names):
            panel.axhline(len(names) - 0.43, color="#8A9099", lw=0.8, zorder=1)

    title = f"Scores of the {len(names)} names of one function and of other losses on {dataset.dataset}"
    return draw(paint, name=name, height=_height(len(rows)), title=title)


def differences_figure(summary: Summary, dataset: DatasetSummary, *, name: str) -> str:
    """Paired differences with the baseline, in points, over the band of differences that do not matter."""
    labels = [row.label for row in dataset.rows]
    baseline, bound = summary.shown(summary.baseline), 100 * summary.smallest_difference
    told = f"{METRIC_NAMES[summary.metric]} minus that of {baseline}, points; shaded: within ±{bound:g} points"

    def paint(figure: Figure) -> None:
        panel = figure.subplots()
        panel.axvspan(-bound, bound, color=BAND, lw=0, zorder=0)
        panel.axvline(0, color="#8A9099", lw=0.8, zorder=1)
        name_rows(panel, [summary.shown(each.label) for each in dataset.comparisons])
        for place, each in enumerate(dataset.comparisons):
            _paint_row(panel, place, each, each.differences, look_of(each.label, labels))
            _say_beside(panel, place, each.verdict or "not yet")
        panel.set_xlabel(told)

    title = f"Paired differences with {baseline} on {dataset.dataset}"
    return draw(paint, name=name, height=_height(len(dataset.comparisons)), title=title)


def _height(rows: int) -> float:
    """Inches for so many rows below a title and above an axis."""
    return 0.95 + 0.42 * max(1, rows)


def _paint_scores(
    panel: Axes, summary: Summary, dataset: DatasetSummary, rows: Sequence[Row], category: Category
) -> None:
    labels = [row.label for row in dataset.rows]
    name_rows(panel, [summary.shown(row.label) for row in rows])
    panel.set_title(summary.categories[category])
    panel.set_xlabel(f"{METRIC_NAMES[summary.metric]}, percent")
    for place, row in enumerate(rows):
        cell = row.cell(category, summary.metric)
        _paint_row(panel, place, cell, cell.values, look_of(row.label, labels))


def _say_beside(panel: Axes, place: int, text: str) -> None:
    panel.text(1.01, place, text, transform=panel.get_yaxis_transform(), va="center", color=INK)


def _paint_row(panel: Axes, place: int, found: Cell | Comparison, values: Values, look: Look) -> None:
    """One line of a forest plot: a tick at the mean with the interval across it, the dots of the seeds below."""
    colour, marker = look
    dots = [100 * value for value in values if value is not None]
    height = [place + 0.24] * len(dots)
    panel.plot(dots, height, ls="", marker=marker, ms=4.2, mew=0, color=colour, alpha=0.5, zorder=2)
    if found.mean is not None:
        panel.plot([100 * found.mean] * 2, [place - 0.3, place + 0.06], color=INK, lw=0.8, zorder=3)
    if found.interval:
        ends = [100 * found.interval.low, 100 * found.interval.high]
        panel.plot(ends, [place - 0.12] * 2, color=colour, lw=4.2, solid_capstyle="butt", zorder=4)
