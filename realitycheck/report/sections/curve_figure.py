"""The figure of the retrained models' validation curves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from realitycheck.records.curves import by_iteration, column
from realitycheck.records.schema import Run
from realitycheck.report.blocks import Figure
from realitycheck.report.drawing import (
    GREY,
    INK,
    LEGEND,
    align,
    columns_for,
    draw,
    grid,
    grid_height,
    name_panel,
    style_of,
    unzip,
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.mean_course import mean_course


def curve_figure(dataset: DatasetFindings) -> Figure:
    """Draw validation MAP@R of every fold run of the replicates over iterations, in percent, one panel per loss.

    The thick line is the mean of the runs still training, drawn while these are at least half of them.
    """
    losses = dataset.evidence.losses
    columns = columns_for(len(losses))
    runs = [[run for replicate in loss.replicates for run in replicate.fold_runs if run] for loss in losses]
    followed = any(_followup_start(run) for own in runs for run in own)

    def paint(canvas: Canvas) -> None:
        panels = grid(canvas, len(losses), columns=columns, legend=LEGEND)
        for panel, loss, own in zip(panels, losses, runs, strict=True):
            name_panel(panel, dataset.study.shown(loss.label))
            _paint_curves(panel, own, style_of(loss.label, dataset.labels)[0])
        align(panels, columns=columns, marks=None)
        canvas.supxlabel("iteration", fontsize=10)
        canvas.supylabel("validation MAP@R, percent", fontsize=10)
        canvas.legend(handles=_legend(followed=followed), loc="upper center", ncols=4)

    jump = (
        " A follow-up begins with the weights of the best checkpoint so far, so its curve may jump there."
        if dataset.study.several_phases
        else ""
    )
    return draw(
        paint,
        name=dataset.figure_name("curves"),
        height=LEGEND + grid_height(len(losses), columns=columns),
        title=f"Validation curves of the retrained models on {dataset.dataset}",
        caption=f"Validation MAP@R of every fold run of the replicates.{jump}",
    )


def _paint_curves(panel: Axes, runs: Sequence[Run], colour: str) -> None:
    courses = [by_iteration(run.curve, "map_at_r") for run in runs]
    lines = [[(iteration, 100 * value) for iteration, value in one] for one in courses]
    panel.add_collection(LineCollection([line for line in lines if line], colors=colour, lw=0.6, alpha=0.28, zorder=2))
    best = [(run.best.iteration, 100 * run.best.scores["map_at_r"]) for run in runs if run.best]
    panel.plot(*unzip(best), ".", ms=4, color=colour, zorder=3)
    starts = [start for run in runs if (start := _followup_start(run))]
    panel.plot(*unzip(starts), "|", ms=5, mew=0.8, color=INK, alpha=0.7, zorder=5)
    iterations, means = mean_course(courses)
    panel.plot(iterations, [100 * value for value in means], "-", color=colour, lw=2.2, zorder=4)


def _followup_start(run: Run) -> tuple[int, float] | None:
    """The last point of a run's normal phase, or None without a follow-up."""
    phases = column(run.curve, "phase")
    if "followup" not in phases:
        return None
    last = run.curve[phases.index("followup") - 1]
    return last.iteration, 100 * last.scores["map_at_r"]


def _legend(*, followed: bool) -> list[Line2D]:
    start = Line2D([], [], marker="|", ms=6, mew=0.9, color=INK, ls="", label="its follow-up begins")
    return [
        Line2D([], [], color=GREY, lw=0.6, alpha=0.5, label="a fold run"),
        Line2D([], [], marker=".", ms=5, color=GREY, ls="", label="its selected checkpoint"),
        *([start] if followed else []),
        Line2D([], [], color=GREY, lw=2.2, label="mean of the runs still training, while at least half are"),
    ]
