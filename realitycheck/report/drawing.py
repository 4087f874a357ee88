"""Parts of every figure: colours, type, panels, and SVG text with bytes that depend on the content alone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from realitycheck.report.blocks import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#4D4D4D")
"""Distinguishable by colour-blind readers; the first six are Okabe and Ito's (2008, "Color Universal Design")."""

MARKERS = ("o", "s", "D", "^")
DASHES = ("-", "--", ":", "-.")
"""Of points and of lines; the next one whenever the colours start again."""

Style = tuple[str, str]
"""Colour and marker."""

Limits = tuple[float, float]
"""The ends of an axis."""

INK, GREY, GUIDE, BAND, RED = "#222222", "#4D4D4D", "#EEF0F2", "#E8EEF4", "#B00020"
READERS_FONTS = "Helvetica, Arial, 'DejaVu Sans'"

WIDTH = 9.6
"""Inches; the page scales it to its column."""

LONGEST = 36
"""Letters of a title that has a third of the width."""

SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": "#8A9099",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": "#5A6068",
    "ytick.color": "#5A6068",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": GUIDE,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
}


LEFT, RIGHT, BOTTOM, TITLE, BETWEEN = 0.85, 0.12, 0.58, 0.28, 0.14
"""Inches around and between the panels of a grid: tick labels and a label at the left and below, titles above."""

LEGEND = 0.34
"""Inches of a legend above a grid of panels."""


def style_of(label: str, labels: Sequence[str]) -> Style:
    """Colour and marker of a loss by its position in the study: the same in every figure, and no two alike."""
    position = labels.index(label)
    return COLOURS[position % len(COLOURS)], MARKERS[position // len(COLOURS) % len(MARKERS)]


def line_of(label: str, labels: Sequence[str]) -> dict[str, Any]:
    """Options of a line with points for a loss; no two are alike where one panel has all of them."""
    colour, marker = style_of(label, labels)
    return {"color": colour, "marker": marker, "ls": DASHES[MARKERS.index(marker)], "lw": 1.6}


def draw(paint: Callable[[Canvas], None], *, name: str, height: float, title: str, caption: str) -> Figure:
    """A figure that is drawn when it is asked for, as an SVG document with bytes that depend on the content alone.

    Args:
        paint: draws on an empty canvas `WIDTH` inches wide.
        name: unique on the page; prefixes every id, so that figures can share one HTML document.
        height: inches.
        title: description for a screen reader.
        caption: what is shown.
    """
    make = partial(_svg, paint, name=name, height=height, title=title)
    return Figure(name=name, drawing=make, alt=title, caption=caption, height=height)


def _svg(paint: Callable[[Canvas], None], *, name: str, height: float, title: str) -> str:
    settings: Any = {**SETTINGS, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        paint(canvas)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        layout = canvas.get_layout_engine()
        if layout is not None:  # once, so that `savefig` draws once and not twice
            layout.execute(canvas)
            canvas.set_layout_engine("none")
        canvas.savefig(out, format="svg", metadata=nothing)
    return _accessible(out.getvalue(), name=name, title=title)


def grid(canvas: Canvas, count: int, *, columns: int, legend: float) -> list[Axes]:
    """Panels row by row, with labels of ticks at the left and below; unused cells of the grid stay empty.

    Margins are fixed, because matplotlib's constrained layout measures every text of every panel: half of the time of a
    figure with 34 panels.

    Args:
        canvas: the empty figure.
        count: number of panels.
        columns: panels side by side.
        legend: inches above the first row.
    """
    rows = -(-count // columns)
    width, height = canvas.get_size_inches()
    canvas.set_layout_engine(None)
    canvas.subplots_adjust(
        left=LEFT / width,
        right=1 - RIGHT / width,
        bottom=BOTTOM / height,
        top=1 - (TITLE + legend) / height,
        wspace=_gap(BETWEEN, width - LEFT - RIGHT, columns),
        hspace=_gap(TITLE + BETWEEN, height - BOTTOM - TITLE - legend, rows),
    )
    panels: list[Axes] = canvas.subplots(rows, columns, squeeze=False).ravel().tolist()
    for place, panel in enumerate(panels):
        panel.set_visible(place < count)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_label_coords(0.5, 0.5)  # it has no label: otherwise all ticks are measured to place one
    return panels[:count]


def align(panels: Sequence[Axes], *, columns: int, marks: Sequence[float] | None) -> None:
    """Give the painted panels of a grid the limits that hold the points of all of them, and one set of ticks.

    Axes that matplotlib shares have the same limits, but each question for a limit visits all panels. A tick is an
    artist of several parts: those of 102 inner panels took a third of the time of a report of 34 losses. So the inner
    panels have lines at the ticks alone, one collection each.

    Args:
        panels: those of `grid`.
        columns: panels side by side.
        marks: where the horizontal axis has ticks; None for where matplotlib puts them.
    """
    first = panels[0]
    first.dataLim = Bbox.union([panel.dataLim for panel in panels])
    first.autoscale_view()
    limits = (first.get_xlim(), first.get_ylim())
    across = _within(limits[0], first.get_xticks() if marks is None else marks)
    upward = _within(limits[1], first.get_yticks())
    for place, panel in enumerate(panels):
        panel.set_xlim(limits[0])
        panel.set_ylim(limits[1])
        panel.set_xticks(across if place >= len(panels) - columns else [])
        panel.set_yticks(upward if place % columns == 0 else [])
        panel.add_collection(_guides(limits, across, upward), autolim=False)


def _guides(limits: tuple[Limits, Limits], across: Sequence[float], upward: Sequence[float]) -> LineCollection:
    """Faint lines through a panel at the ticks."""
    (left, right), (bottom, top) = limits
    lines = [[(x, bottom), (x, top)] for x in across] + [[(left, y), (right, y)] for y in upward]
    return LineCollection(lines, colors=GUIDE, lw=0.8, zorder=0.5)


def _within(limits: Limits, marks: Iterable[float]) -> list[float]:
    low, high = sorted(limits)
    return [float(mark) for mark in marks if low <= mark <= high]


def _gap(inches: float, room: float, count: int) -> float:
    """A gap between panels, in units of the width or height of one."""
    return inches / ((room - (count - 1) * inches) / count)


def columns_for(count: int) -> int:
    """Panels side by side: at most three, and two where four would leave a row with one."""
    return 2 if count == 4 else min(3, count)


def unzip(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Points as two lists, as matplotlib takes them."""
    return [x for x, _ in pairs], [y for _, y in pairs]


def grid_height(count: int, *, columns: int) -> float:
    """Height of a grid of panels in inches."""
    return BOTTOM + 1.75 * -(-count // columns)


def name_rows(panel: Axes, labels: Sequence[str]) -> None:
    """One row per label, the first on top, with faint guides."""
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.set_yticks(range(len(labels)), list(labels))
    panel.tick_params(axis="y", length=0, labelcolor=INK, labelsize=10)
    panel.grid(axis="x")
    panel.spines["left"].set_visible(False)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))


def name_panel(panel: Axes, text: str) -> None:
    """A title above one of several panels; a long one is set smaller, so that it stays clear of the next."""
    size = min(10.5, 10.5 * LONGEST / len(text))
    # With a given height: otherwise the labels of all ticks are measured for it.
    panel.set_title(text, fontsize=size, y=1.0)


def _accessible(svg: str, *, name: str, title: str) -> str:
    """Ids made unique, and a title for screen readers."""
    # The layout uses the font of matplotlib; the page uses the reader's own, which is no wider.
    svg = svg.replace("'DejaVu Sans'", READERS_FONTS)
    svg = re.sub(r'id="(?<=\sid=")', f'id="{name}-', svg)
    svg = svg.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    label = escape(title, quote=True)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    end = svg.index(">", svg.index("<svg ")) + 1
    return f"{svg[:end]}\n <title>{label}</title>{svg[end:]}"
