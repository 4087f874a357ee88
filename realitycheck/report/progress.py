"""The figures of progress: searches trial by trial, and trainings iteration by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from realitycheck.records.curves import CurvePoint
from realitycheck.records.evidence import DatasetEvidence, SearchEvidence
from realitycheck.records.schema import Run
from realitycheck.report.drawing import INK, PALE, draw, grid, grid_height, look_of, name_panel
from realitycheck.report.summary import Summary
from realitycheck.statistics.intervals import mean_of

GREY, RED = "#4D4D4D", "#B00020"

SOURCES = {"published": "published setting", "startup": "start-up trial", "proposed": "proposed trial"}
"""How a trial came about, as the legend says it; `proposed` stands for every sampler."""

Steps = tuple[list[float], list[float]]
"""Trials, counted from 1, and values in points."""


def search_figure(summary: Summary, evidence: DatasetEvidence, *, name: str) -> str:
    """The value of every trial and the best so far, one panel per loss, in points of validation MAP@R."""
    losses = evidence.losses
    labels, columns = [loss.label for loss in losses], columns_for(len(losses))
    best = [[_best_so_far(search) for search in loss.searches] for loss in losses]
    trials = max(trial.slot + 1 for loss in losses for trial in loss.trials)

    def paint(figure: Figure) -> None:
        panels = grid(figure, len(losses), columns=columns)
        for place, (panel, loss) in enumerate(zip(panels, losses, strict=True)):
            for other in (line for lines in (*best[:place], *best[place + 1 :]) for line in lines):
                panel.step(*other, where="post", color=PALE, lw=0.8, zorder=1)
            name_panel(panel, summary.shown(loss.label))
            panel.grid(axis="y")
            for search, line in zip(loss.searches, best[place], strict=True):
                name = str(search.number + 1) if len(loss.searches) > 1 else ""
                _paint_search(panel, search, line, look_of(loss.label, labels)[0], name=name)
        panels[0].set_xlim(1 - 0.03 * trials, 1.03 * trials)
        panels[0].set_xticks(trial_ticks(trials))
        figure.supxlabel("trial", fontsize=10)
        figure.supylabel("validation MAP@R, percent", fontsize=10)
        figure.legend(handles=_search_legend(evidence), loc="outside upper center", ncols=6)

    title = f"Search progress of every loss on {evidence.dataset}"
    return draw(paint, name=name, height=0.3 + grid_height(len(losses), columns=columns), title=title)


def curves_figure(summary: Summary, evidence: DatasetEvidence, *, name: str) -> str:
    """Validation MAP@R of every fold run of the replicates over iterations, in points, one panel per loss.

    The thick line is the mean of the runs still training, drawn while these are at least half of them.
    """
    losses = evidence.losses
    labels, columns = [loss.label for loss in losses], columns_for(len(losses))
    runs = [[run for each in loss.replicates for run in each.fold_runs if run] for loss in losses]
    followed = any(_followup_start(run) for each in runs for run in each)

    def paint(figure: Figure) -> None:
        for panel, loss, each in zip(grid(figure, len(losses), columns=columns), losses, runs, strict=True):
            name_panel(panel, summary.shown(loss.label))
            _paint_curves(panel, each, look_of(loss.label, labels)[0])
        figure.supxlabel("iteration", fontsize=10)
        figure.supylabel("validation MAP@R, percent", fontsize=10)
        figure.legend(handles=_curves_legend(followed=followed), loc="outside upper center", ncols=4)

    title = f"Validation curves of the retrained models on {evidence.dataset}"
    return draw(paint, name=name, height=0.3 + grid_height(len(losses), columns=columns), title=title)


def columns_for(count: int) -> int:
    """Panels side by side: three, or two where four would leave a row with one."""
    return 2 if count == 4 else 3


def trial_ticks(trials: int) -> list[int]:
    """The first trial, and about five round numbers up to the last."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, trials) if trials / step <= 6)
    return sorted({1, *range(step, trials + 1, step)})


def mean_curve(curves: Sequence[Sequence[CurvePoint]]) -> tuple[list[int], list[float]]:
    """Iterations and the mean MAP@R in [0, 1] of the runs scored there, while at least half of them were."""
    by_iteration: dict[int, list[float]] = {}
    for curve in curves:
        for point in curve:
            by_iteration.setdefault(point.iteration, []).append(point.scores["map_at_r"])
    kept = sorted(at for at, values in by_iteration.items() if 2 * len(values) >= len(curves))
    return kept, [mean_of(by_iteration[at]) for at in kept]


def _paint_search(panel: Axes, search: SearchEvidence, best: Steps, colour: str, *, name: str) -> None:
    """One search; `name` is set at the end of its line."""
    panel.step(*best, where="post", color=colour, lw=1.8, zorder=3)
    if name and best[0]:
        end = best[0][-1], best[1][-1]
        panel.annotate(name, end, xytext=(4, 0), textcoords="offset points", color=colour, fontsize=8, va="center")
    for source in SOURCES:
        chosen = [
            (trial.slot + 1, 100 * trial.value)
            for trial in search.trials
            if trial.value is not None and _source(trial.source) == source
        ]
        panel.plot(*_columns(chosen), color=colour, zorder=4, **_bead(source, colour))
    lost = [trial.slot + 1 for trial in search.trials if trial.diverged]
    bottom = panel.get_xaxis_transform()
    panel.plot(lost, [0.03] * len(lost), "x", ms=5, mew=1.4, color=RED, transform=bottom, zorder=4)


def _best_so_far(search: SearchEvidence) -> Steps:
    there = [(trial.slot + 1, 100 * trial.value) for trial in search.trials if trial.value is not None]
    trials, values = _columns(there)
    return trials, list(accumulate(values, max))


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _source(known: str) -> str:
    return known if known in SOURCES else "proposed"


def _bead(source: str, colour: str) -> dict[str, Any]:
    """The mark of a trial: a diamond if published, hollow if drawn at random, full if proposed."""
    marker, size = ("D", 4.6) if source == "published" else ("o", 3.6)
    fill = "white" if source == "startup" else colour
    return {"marker": marker, "ms": size, "mec": colour, "mfc": fill, "mew": 0.9, "ls": ""}


def _search_legend(evidence: DatasetEvidence) -> list[Line2D]:
    there = {_source(trial.source) for loss in evidence.losses for trial in loss.trials}
    told = [Line2D([], [], label=label, **_bead(each, GREY)) for each, label in SOURCES.items() if each in there]
    return [
        Line2D([], [], color=GREY, lw=1.8, label="best so far"),
        *told,
        Line2D([], [], marker="x", ms=5, mew=1.4, color=RED, ls="", label="diverged trial"),
        Line2D([], [], color=PALE, lw=1, label="best so far of the other losses"),
    ]


def _paint_curves(panel: Axes, runs: Sequence[Run], colour: str) -> None:
    panel.grid(axis="y")
    lines = [[(point.iteration, 100 * point.scores["map_at_r"]) for point in run.curve] for run in runs]
    panel.add_collection(LineCollection([line for line in lines if line], colors=colour, lw=0.6, alpha=0.28, zorder=2))
    best = [(run.best.iteration, 100 * run.best.scores["map_at_r"]) for run in runs if run.best]
    panel.plot(*_columns(best), ".", ms=4, color=colour, zorder=3)
    starts = [start for run in runs if (start := _followup_start(run))]
    panel.plot(*_columns(starts), "|", ms=5, mew=0.8, color=INK, alpha=0.7, zorder=5)
    iterations, means = mean_curve([run.curve for run in runs])
    panel.plot(iterations, [100 * value for value in means], "-", color=colour, lw=2.2, zorder=4)
    panel.autoscale_view()


def _followup_start(run: Run) -> tuple[int, float] | None:
    """The last point of a run's normal phase, where it has a follow-up."""
    normal = [point for point in run.curve if point.phase != "followup"]
    if len(normal) == len(run.curve):
        return None
    return normal[-1].iteration, 100 * normal[-1].scores["map_at_r"]


def _curves_legend(*, followed: bool) -> list[Line2D]:
    start = Line2D([], [], marker="|", ms=6, mew=0.9, color=INK, ls="", label="its follow-up begins")
    return [
        Line2D([], [], color=GREY, lw=0.6, alpha=0.5, label="a fold run"),
        Line2D([], [], marker=".", ms=5, color=GREY, ls="", label="its selected checkpoint"),
        *([start] if followed else []),
        Line2D([], [], color=GREY, lw=2.2, label="mean of the runs still training, while at least half are"),
    ]
