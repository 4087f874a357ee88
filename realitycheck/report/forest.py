"""Forest plots: every seed's value below a mean and its interval."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from realitycheck.report.drawing import INK, Style, name_rows, style_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.rows import ScoreRow
from realitycheck.report.wording import METRIC_NAMES
from realitycheck.runs import Category
from realitycheck.statistics.intervals import Interval


def height_of(rows: int) -> float:
    """Height in inches of a plot with a title, an axis and this number of rows."""
    return 0.95 + 0.42 * max(1, rows)


def paint_scores(panel: Axes, dataset: DatasetFindings, rows: Sequence[ScoreRow], category: Category) -> None:
    """Paint the primary metric of some losses in one category, in percent."""
    study = dataset.study
    name_rows(panel, [study.shown(row.label) for row in rows])
    panel.set_title(study.categories[category])
    panel.set_xlabel(f"{METRIC_NAMES[study.metric]}, percent")
    for position, row in enumerate(rows):
        cell = row.cell(category, study.metric)
        paint_row(panel, position, cell.mean, cell.interval, cell.values, style_of(row.label, dataset.labels))


def paint_row(
    panel: Axes,
    position: int,
    mean: float | None,
    interval: Interval | None,
    values: Sequence[float | None],
    style: Style,
) -> None:
    """Paint one row: a tick at the mean with the interval across it, the dots of the seeds below."""
    colour, marker = style
    dots = [100 * value for value in values if value is not None]
    height = [position + 0.24] * len(dots)
    panel.plot(dots, height, ls="", marker=marker, ms=4.2, mew=0, color=colour, alpha=0.5, zorder=2)
    if mean is not None:
        panel.plot([100 * mean] * 2, [position - 0.3, position + 0.06], color=INK, lw=0.8, zorder=3)
    if interval:
        ends = [100 * interval.low, 100 * interval.high]
        panel.plot(ends, [position - 0.12] * 2, color=colour, lw=4.2, solid_capstyle="butt", zorder=4)
