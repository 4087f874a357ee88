"""The figure of the differences from the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import Figure
from realitycheck.report.drawing import BAND, INK, draw, name_rows, style_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.forest import SEARCHES, Reference, by_search, height_of, paint_references, paint_row
from realitycheck.report.wording import METRIC_NAMES, PENDING, percent
from realitycheck.statistics.base import differences, present
from realitycheck.statistics.comparisons import Comparison
from realitycheck.statistics.intervals import mean_of


def difference_figure(dataset: DatasetFindings, comparisons: Sequence[Comparison]) -> Figure:
    """Draw the comparisons of a study with its baseline."""
    study = dataset.study
    baseline, bound = study.shown(study.baseline), 100 * study.smallest_difference

    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        panel.axvspan(-bound, bound, color=BAND, lw=0, zorder=0)
        panel.axvline(0, color="#8A9099", lw=0.8, zorder=1)
        names = [study.shown(comparison.label) for comparison in comparisons]
        name_rows(panel, [*names, *(row.label for row in dataset.untrained)])
        for position, comparison in enumerate(comparisons):
            seeds = by_search(comparison.differences, study.searches)
            style = style_of(comparison.label, dataset.labels)
            paint_row(panel, position, comparison.mean, comparison.interval, seeds, style)
            _write_beside(panel, position, comparison.verdict or PENDING)
        paint_references(panel, _references(dataset), first=len(names))
        panel.set_xlabel(f"{METRIC_NAMES[study.metric]} minus that of {baseline}, points; shaded: ±{bound:g} points")

    return draw(
        paint,
        name=dataset.figure_name("differences"),
        height=height_of(len(comparisons) + len(dataset.untrained)),
        title=f"Paired differences with {baseline} on {dataset.dataset}",
        caption=f"Differences of single seeds (small marks), their mean (thin tick) and its {percent(study.level)} "
        f"interval (bar). {f'{SEARCHES} ' if study.searches > 1 else ''}Untrained models are below the line, without "
        "an interval; an arrow has the mean of one that is outside.",
    )


def _references(dataset: DatasetFindings) -> list[Reference]:
    """The untrained models minus the baseline, seed by seed; a deterministic one has one score for all seeds."""
    study = dataset.study
    base = dataset.row(study.baseline).cell(study.category, study.metric).values
    rows = []
    for row in dataset.untrained:
        values = row.cell(study.category, study.metric).values
        gaps = differences(values if len(values) == len(base) else values * len(base), base)
        known = present(gaps)
        rows.append(Reference(mean_of(known) if known else None, None, gaps))
    return rows


def _write_beside(panel: Axes, position: int, text: str) -> None:
    panel.text(1.01, position, text, transform=panel.get_yaxis_transform(), va="center", color=INK)
