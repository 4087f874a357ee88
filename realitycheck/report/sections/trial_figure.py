"""The figure of searches, trial by trial."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.report.blocks import Figure
from realitycheck.report.drawing import (
    BAND,
    GREY,
    LEGEND,
    RED,
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

SOURCES = {"published": "published setting", "startup": "start-up trial", "proposed": "proposed trial"}
"""The source of a trial, as the legend names it; `proposed` is that of every sampler."""

Steps = tuple[list[float], list[float]]
"""Trials, counted from 1, and values in percent."""


def trial_figure(dataset: DatasetFindings) -> Figure:
    """Draw the value of every trial and the best so far, one panel per loss, in percent of validation MAP@R."""
    losses = dataset.evidence.losses
    columns = columns_for(len(losses))
    best = [[_best_so_far(search) for search in loss.searches] for loss in losses]
    trials = max(trial.slot + 1 for loss in losses for trial in loss.trials)

    def paint(canvas: Canvas) -> None:
        panels = grid(canvas, len(losses), columns=columns, legend=LEGEND)
        for position, (panel, loss) in enumerate(zip(panels, losses, strict=True)):
            _paint_range(panel, [*chain(*best[:position], *best[position + 1 :])], trials)
            name_panel(panel, dataset.study.shown(loss.label))
            _paint_loss(panel, loss, best[position], style_of(loss.label, dataset.labels)[0])
        panels[0].set_xlim(1 - 0.03 * trials, 1.03 * trials)
        align(panels, columns=columns, marks=trial_ticks(trials))
        canvas.supxlabel("trial", fontsize=10)
        canvas.supylabel("validation MAP@R, percent", fontsize=10)
        canvas.legend(handles=_legend(losses), loc="upper center", ncols=6)

    numbers = " The number at the end of a line is that of the search." if dataset.study.searches > 1 else ""
    return draw(
        paint,
        name=dataset.figure_name("search"),
        height=LEGEND + grid_height(len(losses), columns=columns),
        title=f"Search progress of every loss on {dataset.dataset}",
        caption="Value of every trial (the best validation MAP@R of each fold run, mean over folds) and the best value "
        f"so far. Trials are counted from 1, in the order in which they were proposed.{numbers}",
    )


def trial_ticks(trials: int) -> list[int]:
    """The first trial, and about five round numbers up to the last."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, trials) if trials / step <= 6)
    return sorted({1, *range(step, trials + 1, step)})


def _paint_loss(panel: Axes, loss: LossEvidence, best: list[Steps], colour: str) -> None:
    """Paint the searches of one loss; where there are several, each has its number at the end of its line."""
    for search, line in zip(loss.searches, best, strict=True):
        _paint_search(panel, search, line, colour)
    if len(loss.searches) > 1:
        _number_lines(panel, best, [str(search.number + 1) for search in loss.searches], colour)


def _number_lines(panel: Axes, lines: Sequence[Steps], numbers: Sequence[str], colour: str) -> None:
    """Write numbers at the ends of lines: above the highest and below the lowest, since two may end side by side."""
    ends = sorted((line[1][-1], line[0][-1], number) for line, number in zip(lines, numbers, strict=True) if line[0])
    sides = ["top", *["center"] * (len(ends) - 2), "bottom"]
    for (value, trial, number), side in zip(ends, sides, strict=False):
        end = trial, value
        panel.annotate(number, end, xytext=(4, 0), textcoords="offset points", color=colour, fontsize=8, va=side)


def _paint_search(panel: Axes, search: SearchEvidence, best: Steps, colour: str) -> None:
    panel.step(*best, where="post", color=colour, lw=1.8, zorder=3)
    for source in SOURCES:
        values = [
            (trial.slot + 1, 100 * trial.value)
            for trial in search.trials
            if trial.value is not None and _source(trial.source) == source
        ]
        panel.plot(*unzip(values), color=colour, zorder=4, **_bead(source, colour))
    diverged = [trial.slot + 1 for trial in search.trials if trial.diverged]
    bottom = panel.get_xaxis_transform()
    panel.plot(diverged, [0.03] * len(diverged), "x", ms=5, mew=1.4, color=RED, transform=bottom, zorder=4)


def _paint_range(panel: Axes, others: Sequence[Steps], trials: int) -> None:
    """Paint the range of the best values so far of other searches; their lines would cover the panel."""
    if others:
        values = np.stack([_by_trial(line, trials) for line in others])
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        panel.fill_between(np.arange(1, trials + 1), low, high, step="post", color=BAND, lw=0, zorder=1)


def _by_trial(line: Steps, trials: int) -> NDArray[np.float64]:
    """The best value so far at every trial; not a number before the first one."""
    values = np.full(trials, np.nan)
    values[np.array(line[0], dtype=int) - 1] = line[1]
    return np.fmax.accumulate(values)


def _best_so_far(search: SearchEvidence) -> Steps:
    known = [(trial.slot + 1, 100 * trial.value) for trial in search.trials if trial.value is not None]
    trials, values = unzip(known)
    return trials, list(accumulate(values, max))


def _source(source: str) -> str:
    return source if source in SOURCES else "proposed"


def _bead(source: str, colour: str) -> dict[str, Any]:
    """The mark of a trial: a diamond if published, hollow if drawn at random, full if proposed."""
    marker, size = ("D", 4.6) if source == "published" else ("o", 3.6)
    fill = "white" if source == "startup" else colour
    return {"marker": marker, "ms": size, "mec": colour, "mfc": fill, "mew": 0.9, "ls": ""}


def _legend(losses: tuple[LossEvidence, ...]) -> list[Line2D | Patch]:
    known = {_source(trial.source) for loss in losses for trial in loss.trials}
    beads = [Line2D([], [], label=label, **_bead(name, GREY)) for name, label in SOURCES.items() if name in known]
    band = Patch(color=BAND, lw=0, label="range of the best so far of the other losses")
    return [
        Line2D([], [], color=GREY, lw=1.8, label="best so far"),
        *beads,
        Line2D([], [], marker="x", ms=5, mew=1.4, color=RED, ls="", label="diverged trial"),
        *([band] if len(losses) > 1 else []),
    ]
