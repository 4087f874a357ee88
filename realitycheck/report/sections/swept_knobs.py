"""Sweeps: the score of a loss against one of its hyper-parameters, on validation folds and where declared on tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.protocol.space import Bounds, LogIntUniform, LogUniform
from realitycheck.records.swept import SweptKnob, SweptPoint
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
from realitycheck.report.drawing import BAND, GREY, INK, draw, name_panel, style_of
from realitycheck.report.evaluated import SeedScores, summary
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import DASH, count, number
from realitycheck.statistics.base import present

PANELS = 3
"""Side by side."""


@dataclass(frozen=True, slots=True)
class SweptValue:
    """One value.

    Args:
        value: as the sampler sees it.
        scores: validation MAP@R by seed.
        without: how many seeds diverged or are missing.
        test: primary test score by seed; None where the opening declares no sweep.
    """

    value: float | int
    scores: SeedScores
    without: int
    test: SeedScores | None


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
    """All sweeps.

    Args:
        seeds: under how many each value was trained.
        tested: whether the values are scored on the test half.
        knobs: one curve each.
    """

    seeds: int
    tested: bool
    knobs: tuple[KnobCurve, ...]


def find(dataset: DatasetFindings) -> Sweeps | None:
    """The curves with a score; None where there is none."""
    knobs = tuple(_curve(dataset, swept) for swept in dataset.evidence.sweeps)
    known = tuple(knob for knob in knobs if any(value.scores.values for value in knob.values))
    seeds = max((len(point.runs) for swept in dataset.evidence.sweeps for point in swept.points), default=0)
    tested = any(value.test for knob in known for value in knob.values)
    return Sweeps(seeds, tested, known) if known else None


def _curve(dataset: DatasetFindings, swept: SweptKnob) -> KnobCurve:
    bounds = dataset.spaces[swept.label][swept.knob]
    return KnobCurve(
        label=swept.label,
        knob=swept.knob,
        chosen=swept.chosen,
        range=bounds.bounds if isinstance(bounds, Bounds) else None,
        log=isinstance(bounds, LogUniform | LogIntUniform),
        values=tuple(_value(dataset, swept.label, point) for point in swept.points),
    )


def _value(dataset: DatasetFindings, label: str, point: SweptPoint) -> SweptValue:
    study, known = dataset.study, present(point.values)
    distance = dataset.row(label).distance
    tests = present(point.test_scores(category=study.category, metric=study.metric, distance=distance))
    without = len(point.values) - len(known)
    return SweptValue(point.value, summary(dataset, known), without, summary(dataset, tests) if point.tested else None)


def blocks(dataset: DatasetFindings, facts: Sweeps) -> Iterator[Block]:
    """Print the figure and the table."""
    yield Heading(3, "Score against one hyper-parameter")
    yield Paragraph(
        "From the setting that the first search chose, one hyper-parameter takes the values of a grid; others stay. "
        f"Scores are validation MAP@R, the mean over folds of the best evaluation, under {count(facts.seeds, 'seed')}. "
        f"No setting was chosen by these runs, and {_tested(dataset, facts)}."
    )
    yield _figure(dataset, facts)
    yield _table(dataset, facts)
    yield Note(
        "The intervals are Student's t over seeds. The curve belongs to one chosen setting: with other values of the "
        "other hyper-parameters it can have its maximum elsewhere. Lengths are in the units of the search."
    )


def _tested(dataset: DatasetFindings, facts: Sweeps) -> str:
    if facts.tested:
        return f"the opening of the test half declares them: {dataset.study.primary} on it is beside"
    late = "sweep" in dataset.evidence.claims and dataset.evidence.openings
    return (
        "they were declared after the test half was opened: it was not used" if late else "the test half was not used"
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
        canvas.supylabel("score, percent" if facts.tested else "validation MAP@R, percent", fontsize=10)
        if facts.tested:
            canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)

    return draw(
        paint,
        name=dataset.figure_name("sweeps"),
        height=0.4 + 2.2 * rows,
        title=f"Scores against single hyper-parameters on {dataset.dataset}",
        caption="Mean validation MAP@R and its interval over seeds"
        + (f", and {dataset.study.primary} on the test half in black" if facts.tested else "")
        + ". The dashed line marks the chosen value, the shaded part the range of the search; each panel has an axis "
        "of its own.",
    )


def _paint(panel: Axes, knob: KnobCurve, colour: str) -> None:
    places = [value.value for value in knob.values if value.scores.values]
    if knob.log:
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")  # the default writes mathematics
    if knob.range is not None:
        panel.axvspan(*knob.range, color=BAND, lw=0, zorder=0)
    panel.axvline(knob.chosen, color=GREY, lw=1.0, ls="--", zorder=1)
    _paint_band(panel, [(value.value, value.scores) for value in knob.values], colour, "validation")
    _paint_band(panel, [(value.value, value.test) for value in knob.values if value.test], INK, "test half")
    edge = 0.04 * (places[-1] - places[0])
    panel.set_xlim(*((places[0] / 1.1, places[-1] * 1.1) if knob.log else (places[0] - edge, places[-1] + edge)))
    panel.grid(axis="y")


def _paint_band(panel: Axes, scores: list[tuple[float | int, SeedScores]], colour: str, name: str) -> None:
    """Means of the values that have one, and their intervals."""
    known = [(place, 100 * one.mean, 100 * (one.half_width or 0.0)) for place, one in scores if one.mean is not None]
    if not known:
        return
    places, means, wide = zip(*known, strict=True)
    lows, highs = ([mean + sign * half for mean, half in zip(means, wide, strict=True)] for sign in (-1, 1))
    panel.fill_between(places, lows, highs, color=colour, alpha=0.2, lw=0)
    panel.plot(places, means, color=colour, lw=1.6, marker="o", ms=4, label=name)


def _table(dataset: DatasetFindings, facts: Sweeps) -> Table:
    groups = tuple(
        RowGroup(tuple(_lines(knob, tested=facts.tested)), head=Marked(f"{knob.label}: {knob.knob}"))
        for knob in facts.knobs
    )
    tests = (Column(f"Test {dataset.study.primary}", number=True),) if facts.tested else ()
    return Table(
        (
            Column("Loss and hyper-parameter"),
            Column("Value", number=True),
            Column("Validation MAP@R", number=True),
            *tests,
            Column("Seeds without", number=True),
        ),
        groups,
        caption="Scores in percent, mean and interval over seeds. Seeds without: those of which a fold run diverged or "
        "is missing.",
    )


def _lines(knob: KnobCurve, *, tested: bool) -> Iterator[tuple[Content, ...]]:
    for one in knob.values:
        marks = ("chosen",) if one.value == knob.chosen else ()
        tests = (one.test.cell if one.test else DASH,) if tested else ()
        yield (Marked(number(one.value), marks), one.scores.cell, *tests, str(one.without))


SECTION = Section(
    name="sweeps",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
