"""What every figure shares: colours, type, panels, and SVG text with the same bytes on every day."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#4D4D4D")
"""Told apart by colour-blind readers; the first six are Okabe and Ito's (2008, "Color Universal Design")."""

MARKERS = ("o", "s", "D", "^")
"""The next one each time that the colours start again."""

Look = tuple[str, str]
"""Colour and marker."""

INK, PALE, BAND = "#222222", "#C9CDD2", "#E8EEF4"
READERS_FONTS = "Helvetica, Arial, 'DejaVu Sans'"

WIDTH = 9.6
"""Inches; the page scales it to its column."""

LONGEST = 36
"""Letters of a title that has a third of the width."""

STYLE: dict[str, Any] = {
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
    "grid.color": "#EEF0F2",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
}


def look_of(label: str, labels: Sequence[str]) -> Look:
    """Colour and marker of a loss by its place in the study: the same in every figure, and no two alike."""
    place = labels.index(label)
    return COLOURS[place % len(COLOURS)], MARKERS[place // len(COLOURS) % len(MARKERS)]


def draw(paint: Callable[[Figure], None], *, name: str, height: float, title: str) -> str:
    """One figure as an SVG document whose bytes depend on the content alone.

    Args:
        paint: draws on an empty figure `WIDTH` inches wide.
        name: unique on the page; prefixes every id, so that figures can share one HTML document.
        height: inches.
        title: what a screen reader says.
    """
    settings: Any = {**STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        paint(figure)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing)
    return _accessible(out.getvalue(), name=name, title=title)


def grid(figure: Figure, count: int, *, columns: int) -> list[Axes]:
    """So many panels with common axes, row by row; places left over stay empty."""
    rows = -(-count // columns)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for spare in panels[count:]:
        spare.set_visible(False)
    for panel in panels[max(0, count - columns) : count]:
        panel.tick_params(labelbottom=True)
    return list(panels[:count])


def grid_height(count: int, *, columns: int) -> float:
    """Inches for so many panels."""
    return 0.55 + 1.75 * -(-count // columns)


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
    panel.set_title(text, fontsize=min(10.5, 10.5 * LONGEST / len(text)))


def _accessible(svg: str, *, name: str, title: str) -> str:
    """Ids made unique, and a title for screen readers."""
    # Laid out with the font that matplotlib brings along, shown in the reader's own, which is no wider.
    svg = svg.replace("'DejaVu Sans'", READERS_FONTS)
    svg = re.sub(r'(?<=\sid=")', f"{name}-", svg)
    svg = svg.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    said = escape(title, quote=True)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{said}" ', 1)
    end = svg.index(">", svg.index("<svg ")) + 1
    return f"{svg[:end]}\n <title>{said}</title>{svg[end:]}"
