"""The four figures, each a function from what was found to one SVG document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from realitycheck.plan.evidence import DatasetEvidence, LossEvidence
from realitycheck.report.drawing import (
    BAND,
    INK,
    PALE,
    Look,
    draw,
    grid,
    grid_height,
    look_of,
    name_rows,
)
from realitycheck.report.scores import Cell, trial_diverged
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import METRIC_NAMES
from realitycheck.runs import Body
from realitycheck.statistics.comparisons import Comparison
from realitycheck.statistics.intervals import mean_of

Values = Sequence[float | None]


def scores_figure(summary: Summary, dataset: DatasetSummary, *, name: str) -> str:
    """Every seed's score below its interval, one panel per category, in points of the primary metric."""
    labels = [row.label for row in dataset.rows]
    metric = METRIC_NAMES[summary.metric]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(summary.categories), sharey=True, squeeze=False).ravel()
        for panel, (category, title) in zip(panels, summary.categories.items(), strict=True):
            name_rows(panel, labels)
            panel.set_title(title)
            panel.set_xlabel(f"{metric}, percent")
            for place, row in enumerate(dataset.rows):
                cell = row.cell(category, summary.metric)
                _paint_row(panel, place, cell, cell.values, look_of(row.label, labels))

    title = f"{metric} of every seed with intervals, by category, on {dataset.dataset}"
    return draw(paint, name=name, height=0.95 + 0.42 * len(labels), title=title)


def differences_figure(summary: Summary, dataset: DatasetSummary, *, name: str) -> str:
    """Paired differences with the baseline, in points, over the band of differences that do not matter."""
    labels = [row.label for row in dataset.rows]
    bound = 100 * summary.smallest_difference

    def paint(figure: Figure) -> None:
        panel = figure.subplots()
        beside = panel.get_yaxis_transform()
        panel.axvspan(-bound, bound, color=BAND, lw=0, zorder=0)
        panel.axvline(0, color="#8A9099", lw=0.8, zorder=1)
        name_rows(panel, [each.label for each in dataset.comparisons])
        for place, each in enumerate(dataset.comparisons):
            _paint_row(panel, place, each, each.differences, look_of(each.label, labels))
            panel.text(1.01, place, each.verdict or "not yet", transform=beside, va="center", color=INK)
        panel.set_xlabel(
            f"{METRIC_NAMES[summary.metric]} minus that of {summary.baseline}, points; shaded: within ±{bound:g} points"
        )

    title = f"Paired differences with {summary.baseline} on {dataset.dataset}"
    return draw(paint, name=name, height=0.8 + 0.42 * max(1, len(dataset.comparisons)), title=title)


def columns_for(count: int) -> int:
    """Panels side by side: three, or two where four would leave a row with one."""
    return 2 if count == 4 else 3


def search_figure(evidence: DatasetEvidence, *, name: str) -> str:
    """The value of every trial and the best so far, one panel per loss, in points of validation MAP@R."""
    losses = evidence.losses
    labels = [loss.label for loss in losses]
    best = [_best_so_far(loss) for loss in losses]

    def paint(figure: Figure) -> None:
        panels = grid(figure, len(losses), columns=columns_for(len(losses)))
        for place, (panel, loss) in enumerate(zip(panels, losses, strict=True)):
            for other in (*best[:place], *best[place + 1 :]):
                panel.step(*other, where="post", color=PALE, lw=0.8, zorder=1)
            _paint_search(panel, loss, best[place], look_of(loss.label, labels)[0])
        figure.supxlabel("trial", fontsize=10)
        figure.supylabel("validation MAP@R, percent", fontsize=10)
        figure.legend(handles=_search_legend(), loc="outside upper center", ncols=5)

    title = f"Search progress of every loss on {evidence.dataset}"
    return draw(paint, name=name, height=0.3 + grid_height(len(losses), columns=columns_for(len(losses))), title=title)


def curves_figure(evidence: DatasetEvidence, *, name: str) -> str:
    """Validation MAP@R of every fold run of the replicates over iterations, in points, one panel per loss.

    The thick line is the mean of the runs still training, drawn while these are at least half of them.
    """
    losses = evidence.losses
    labels = [loss.label for loss in losses]

    def paint(figure: Figure) -> None:
        panels = grid(figure, len(losses), columns=columns_for(len(losses)))
        for panel, loss in zip(panels, losses, strict=True):
            runs = [run for each in loss.replicates for run in each.fold_runs if run]
            _paint_curves(panel, loss.label, runs, look_of(loss.label, labels)[0])
        figure.supxlabel("iteration", fontsize=10)
        figure.supylabel("validation MAP@R, percent", fontsize=10)

    title = f"Validation curves of the retrained models on {evidence.dataset}"
    return draw(paint, name=name, height=grid_height(len(losses), columns=columns_for(len(losses))), title=title)


def mean_curve(curves: Sequence[Sequence[Body]]) -> tuple[list[int], list[float]]:
    """Iterations and the mean MAP@R in [0, 1] of the runs scored there, while at least half of them were."""
    by_iteration: dict[int, list[float]] = {}
    for curve in curves:
        for point in curve:
            by_iteration.setdefault(point["iteration"], []).append(point["map_at_r"])
    kept = sorted(at for at, values in by_iteration.items() if 2 * len(values) >= len(curves))
    return kept, [mean_of(by_iteration[at]) for at in kept]


def _paint_row(panel: Axes, place: int, found: Cell | Comparison, values: Values, look: Look) -> None:
    """One line of a forest plot: mean and interval above, the dots of the seeds below."""
    dots = [100 * value for value in values if value is not None]
    colour, marker = look
    panel.plot(
        dots,
        [place + 0.19] * len(dots),
        ls="",
        marker=marker,
        ms=4.2,
        color=colour,
        alpha=0.5,
        mew=0,
        zorder=2,
    )
    if found.interval:
        ends = [100 * found.interval.low, 100 * found.interval.high]
        panel.plot(ends, [place - 0.1] * 2, color=colour, lw=2.4, solid_capstyle="butt", zorder=3)
    if found.mean is not None:
        panel.plot(
            [100 * found.mean],
            [place - 0.1],
            marker=marker,
            ms=6.5,
            color=colour,
            mec="white",
            mew=0.8,
            zorder=4,
        )


def _paint_search(panel: Axes, loss: LossEvidence, best: tuple[list[int], list[float]], colour: str) -> None:
    panel.set_title(loss.label)
    panel.grid(axis="y")
    panel.step(*best, where="post", color=colour, lw=1.8, zorder=3)
    for startup, fill in ((True, "white"), (False, colour)):
        chosen = [
            (trial.slot, 100 * trial.value)
            for trial, source in zip(loss.trials, loss.sources, strict=True)
            if trial.value is not None and (source == "startup") is startup
        ]
        panel.plot(*_columns(chosen), "o", ms=3.6, mec=colour, mfc=fill, mew=0.9, ls="", zorder=4)
    lost = [trial.slot for trial, runs in zip(loss.trials, loss.trial_runs, strict=True) if trial_diverged(runs)]
    panel.plot(
        lost,
        [0.03] * len(lost),
        "x",
        ms=5,
        mew=1.4,
        color="#B00020",
        transform=panel.get_xaxis_transform(),
        zorder=4,
    )


def _best_so_far(loss: LossEvidence) -> tuple[list[int], list[float]]:
    there = [(trial.slot, 100 * trial.value) for trial in loss.trials if trial.value is not None]
    slots, values = _columns(there)
    return [int(slot) for slot in slots], list(accumulate(values, max))


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _search_legend() -> list[Line2D]:
    grey = "#4D4D4D"
    return [
        Line2D([], [], color=grey, lw=1.8, label="best so far"),
        Line2D([], [], marker="o", ms=4, mfc="white", mec=grey, ls="", label="start-up trial"),
        Line2D([], [], marker="o", ms=4, color=grey, ls="", label="proposed trial"),
        Line2D([], [], marker="x", ms=5, mew=1.4, color="#B00020", ls="", label="diverged trial"),
        Line2D([], [], color=PALE, lw=1, label="best so far of the other losses"),
    ]


def _paint_curves(panel: Axes, label: str, runs: Sequence[Body], colour: str) -> None:
    panel.set_title(label)
    panel.grid(axis="y")
    lines = [[(point["iteration"], 100 * point["map_at_r"]) for point in run["curve"]] for run in runs]
    panel.add_collection(LineCollection([line for line in lines if line], colors=colour, lw=0.6, alpha=0.28, zorder=2))
    best = [(run["best"]["iteration"], 100 * run["best"]["map_at_r"]) for run in runs if run["best"]]
    panel.plot(*_columns(best), ".", ms=4, color=colour, zorder=3)
    iterations, means = mean_curve([run["curve"] for run in runs])
    panel.plot(iterations, [100 * value for value in means], "-", color=colour, lw=2.2, zorder=4)
    panel.autoscale_view()
