"""Sweeps: the validation score of a loss against one of its hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.protocol.space import Bounds, LogIntUniform, LogUniform
from realitycheck.records.swept import SweptKnob
from realitycheck.report.blocks import (
    Block,
    Column,
    Content,
    Figure,
    Heading,
    Marked,
    Note,
    Paragraph,
    RowGroup,
    Table,
)
from realitycheck.report.drawing import BAND, GREY, draw, name_panel, style_of
from realitycheck.report.evaluated import SeedScores, summary
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count, number

PANELS = 3
"""Side by side."""


@dataclass(frozen=True, slots=True)
class SweptValue:
    """One value: its validation MAP@R by seed, and the seeds that diverged or are missing."""

    value: float | int
    scores: SeedScores
    without: int


@dataclass(frozen=True, slots=True)
class KnobCurve:
    """One hyper-parameter of one loss.

    Args:
        label: the loss.
        knob: the hyper-parameter.
        chosen: its value in the chosen setting.
        range: the bounds of the search; None where the value was fixed.
        log: whether the search's range is logarithmic.
        values: in ascending order.
    """

    label: str
    knob: str
    chosen: float | int
    range: tuple[float, float] | None
    log: bool
    values: tuple[SweptValue, ...]


@dataclass(frozen=True, slots=True)
class Sweeps:
    """All sweeps, and under how many seeds."""

    seeds: int
    knobs: tuple[KnobCurve, ...]


def find(dataset: DatasetFindings) -> Sweeps | None:
    """The curves with a score; None where there is none."""
    knobs = tuple(_curve(dataset, swept) for swept in dataset.evidence.sweeps)
    known = tuple(knob for knob in knobs if any(value.scores.values for value in knob.values))
    seeds = max((len(point.runs) for swept in dataset.evidence.sweeps for point in swept.points), default=0)
    return Sweeps(seeds, known) if known else None


def _curve(dataset: DatasetFindings, swept: SweptKnob) -> KnobCurve:
    bounds = dataset.spaces[swept.label][swept.knob]
    return KnobCurve(
        label=swept.label,
        knob=swept.knob,
        chosen=swept.chosen,
        range=bounds.bounds if isinstance(bounds, Bounds) else None,
        log=isinstance(bounds, LogUniform | LogIntUniform),
        values=tuple(_value(dataset, point.value, point.values) for point in swept.points),
    )


def _value(dataset: DatasetFindings, value: float | int, scores: tuple[float | None, ...]) -> SweptValue:
    known = [score for score in scores if score is not None]
    return SweptValue(value, summary(dataset, known), len(scores) - len(known))


def blocks(dataset: DatasetFindings, facts: Sweeps) -> Iterator[Block]:
    """Print the figure and the table."""
    yield Heading(3, "Score against one hyper-parameter")
    yield Paragraph(
        "From the setting that the first search chose, one hyper-parameter takes the values of a grid; others stay. "
        f"Scores are validation MAP@R, the mean over folds of the best evaluation, under {count(facts.seeds, 'seed')}. "
        "No setting was chosen by these runs, and the test half was not used."
    )
    yield _figure(dataset, facts)
    yield _table(facts)
    yield Note(
        "The intervals are Student's t over seeds. The curve belongs to one chosen setting: with other values of the "
        "other hyper-parameters it can have its maximum elsewhere. Lengths are in the units of the search."
    )


def _figure(dataset: DatasetFindings, facts: Sweeps) -> Figure:
    columns = min(PANELS, len(facts.knobs))
    rows = -(-len(facts.knobs) // columns)

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(rows, columns, squeeze=False).ravel().tolist()
        for spare in panels[len(facts.knobs) :]:
            spare.set_visible(False)
        for panel, knob in zip(panels, facts.knobs, strict=False):
            name_panel(panel, f"{dataset.study.shown(knob.label)}: {knob.knob}")
            _paint(panel, knob, style_of(knob.label, dataset.labels)[0])
        canvas.supylabel("validation MAP@R, percent", fontsize=10)

    return draw(
        paint,
        name=dataset.figure_name("sweeps"),
        height=0.4 + 2.2 * rows,
        title=f"Validation MAP@R against single hyper-parameters on {dataset.dataset}",
        caption="Mean validation MAP@R and its interval over seeds. The dashed line marks the chosen value, the shaded "
        "part the range of the search; each panel has an axis of its own.",
    )


def _paint(panel: Axes, knob: KnobCurve, colour: str) -> None:
    known = [value for value in knob.values if value.scores.mean is not None]
    places, means = [value.value for value in known], [100 * (value.scores.mean or 0.0) for value in known]
    wide = [100 * (value.scores.half_width or 0.0) for value in known]
    if knob.log:
        panel.set_xscale("log")
    if knob.range is not None:
        panel.axvspan(*knob.range, color=BAND, lw=0, zorder=0)
    panel.axvline(knob.chosen, color=GREY, lw=1.0, ls="--", zorder=1)
    lows, highs = ([mean + sign * half for mean, half in zip(means, wide, strict=True)] for sign in (-1, 1))
    panel.fill_between(places, lows, highs, color=colour, alpha=0.2, lw=0)
    panel.plot(places, means, color=colour, lw=1.6, marker="o", ms=4)
    edge = 0.04 * (places[-1] - places[0])
    panel.set_xlim(*((places[0] / 1.1, places[-1] * 1.1) if knob.log else (places[0] - edge, places[-1] + edge)))
    panel.grid(axis="y")


def _table(facts: Sweeps) -> Table:
    groups = tuple(RowGroup(tuple(_lines(knob)), head=Marked(f"{knob.label}: {knob.knob}")) for knob in facts.knobs)
    return Table(
        (
            Column("Loss and hyper-parameter"),
            Column("Value", number=True),
            Column("Validation MAP@R", number=True),
            Column("Seeds without", number=True),
        ),
        groups,
        caption="Validation MAP@R in percent, mean and interval over seeds. Seeds without: those of which a fold run "
        "diverged or is missing.",
    )


def _lines(knob: KnobCurve) -> Iterator[tuple[Content, ...]]:
    for one in knob.values:
        marks = ("chosen",) if one.value == knob.chosen else ()
        yield (Marked(number(one.value), marks), one.scores.cell, str(one.without))


SECTION = Section(
    name="sweeps",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
