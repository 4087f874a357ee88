"""Forest plots: every seed's value below a mean and its interval, search by search, and the untrained models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from realitycheck.report.drawing import GREY, INK, Style, name_rows, style_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.rows import ScoreRow
from realitycheck.report.wording import METRIC_NAMES, points
from realitycheck.runs import Category
from realitycheck.statistics.intervals import Interval

Values = Sequence[float | None]

REFERENCE: Style = (GREY, "o")
"""The style of an untrained model, which is no loss."""

SEARCHES = "Each search of a loss has a line of its own, with full and hollow marks by turns."
"""For the caption of a plot of losses with several searches."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of an untrained model: its mean, its interval if it has one, and one value per seed."""

    mean: float | None
    interval: Interval | None
    values: Values


def height_of(rows: int) -> float:
    """Height in inches of a plot with a title, an axis and this number of rows."""
    return 0.95 + 0.42 * max(1, rows)


def paint_scores(
    panel: Axes,
    dataset: DatasetFindings,
    rows: Sequence[ScoreRow],
    category: Category,
    *,
    untrained: Sequence[ScoreRow],
) -> None:
    """Paint the primary metric of some losses in one category, in percent, with untrained models below them."""
    study = dataset.study
    name_rows(panel, [*(study.shown(row.label) for row in rows), *(row.label for row in untrained)])
    panel.set_title(study.categories[category])
    panel.set_xlabel(f"{METRIC_NAMES[study.metric]}, percent")
    for position, row in enumerate(rows):
        cell = row.cell(category, study.metric)
        paint_row(
            *(panel, position, cell.mean, cell.interval),
            by_search(cell.values, study.searches),
            style_of(row.label, dataset.labels),
        )
    cells = [row.cell(category, study.metric) for row in untrained]
    paint_references(panel, [Reference(cell.mean, cell.interval, cell.values) for cell in cells], first=len(rows))


def by_search(values: Values, searches: int) -> list[Values]:
    """The values of each search; all together where they are one value, which is that of every search."""
    share = len(values) // searches
    return [values[start : start + share] for start in range(0, len(values), share)] if share else [values]


def paint_row(
    panel: Axes,
    position: int,
    mean: float | None,
    interval: Interval | None,
    searches: Sequence[Values],
    style: Style,
) -> None:
    """Paint one row: a tick at the mean with the interval across it, and below it the dots of the seeds by search."""
    colour, marker = style
    for number, values in enumerate(searches):
        dots = [100 * value for value in values if value is not None]
        height = [position + 0.12 + 0.28 * (number + 0.5) / len(searches)] * len(dots)
        fill = colour if number % 2 == 0 else "white"
        panel.plot(dots, height, ls="", marker=marker, ms=4, mew=0.8, mec=colour, mfc=fill, alpha=0.6, zorder=2)
    if mean is not None:
        panel.plot([100 * mean] * 2, [position - 0.3, position + 0.06], color=INK, lw=0.8, zorder=3)
    if interval:
        ends = [100 * interval.low, 100 * interval.high]
        panel.plot(ends, [position - 0.12] * 2, color=colour, lw=4.2, solid_capstyle="butt", zorder=4)


def paint_references(panel: Axes, references: Sequence[Reference], *, first: int) -> None:
    """Paint untrained models from a row on; one far from the losses is an arrow, so that these stay readable."""
    low, high = panel.get_xlim()
    for position, reference in enumerate(references, first):
        if reference.mean is None:
            continue
        value = 100 * reference.mean
        if low - (high - low) <= value <= high + (high - low):
            paint_row(panel, position, reference.mean, reference.interval, [reference.values], REFERENCE)
        else:
            _point_outside(panel, position, points(reference.mean), left=value < low)
    if references:
        panel.axhline(first - 0.43, color="#8A9099", lw=0.8, zorder=1)


def _point_outside(panel: Axes, position: int, text: str, *, left: bool) -> None:
    panel.text(
        *(0.01 if left else 0.99, position),
        f"← {text}" if left else f"{text} →",
        transform=panel.get_yaxis_transform(),
        va="center",
        ha="left" if left else "right",
        color=GREY,
        fontsize=9,
    )
