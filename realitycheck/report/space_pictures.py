"""Pictures of what a loss does in its space: landscapes, and the plane of similarities."""

from __future__ import annotations

import re
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.losses.drawn_fields import Floats, Landscape, PlaneEmbeddings, SimilarityPlane
from realitycheck.report.blocks import Figure
from realitycheck.report.drawing import COLOURS, INK, RED, draw, name_panel

ARROWS = 12
"""Of the gradient field, in each direction."""

LEVELS = 9
"""Of the contours."""

_D, _PATH = re.compile(r'<path d="([^"]*)"'), re.compile(r' d="(M [^"]*)"')
_ARROWS = re.compile(r'(<path d="[^"]*"([^>]*)/>\s*)(?:<path d="[^"]*"\2/>\s*)+')
"""The outline of a path, and paths in a row that differ in their outline alone: the arrows of a panel."""


def landscape_picture(name: str, setting: str, landscapes: list[Landscape]) -> Figure:
    """Draw the landscapes of one loss side by side, such as that of two and that of four classes."""

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(landscapes), squeeze=False).ravel().tolist()
        for panel, one in zip(panels, landscapes, strict=True):
            name_panel(panel, f"{name}, {len(one.vectors)} classes")
            _paint_landscape(panel, one)

    return draw(
        paint,
        name=f"landscape-{name}",
        height=9.6 / len(landscapes) if len(landscapes) > 1 else 6.0,
        title=f"Optimisation landscape of {name}",
        caption=f"The loss of an embedding of the blue class, {setting}: contours of its value, arrows along its "
        "negative gradient, and crosses where descents end. Squares are the class vectors.",
    )


def _paint_landscape(panel: Axes, one: Landscape) -> None:
    values = np.where(np.isfinite(one.values), one.values, np.nan)
    _paint_contours(panel, one.axis, values)
    _paint_arrows(panel, one.axis, one.slopes)
    for number, (x, y) in enumerate(one.vectors):
        panel.plot(x, y, marker="s", ms=8, color=COLOURS[number % len(COLOURS)], mec="white", ls="")
    panel.plot(*one.minima.T, marker="x", ms=9, mew=2.2, color=RED, ls="")
    panel.set_aspect("equal")
    panel.set_xlim(one.axis[0], one.axis[-1])
    panel.set_ylim(one.axis[0], one.axis[-1])


def _paint_contours(panel: Axes, axis: Floats, values: Floats) -> None:
    """Filled contours with their edges, so that each is in the file once."""
    filled = panel.contourf(axis, axis, values, levels=LEVELS, cmap="Greys", alpha=0.45)
    filled.set_edgecolor("#8A9099")
    filled.set_linewidth(0.5)


def _paint_arrows(panel: Axes, axis: np.ndarray, slopes: np.ndarray) -> None:
    """Arrows along the negative gradient; their length grows with the root of its norm."""
    step = -(-len(axis) // ARROWS)
    x, y = np.meshgrid(axis[step // 2 :: step], axis[step // 2 :: step])
    field = -slopes[step // 2 :: step, step // 2 :: step]
    norm = np.linalg.norm(field, axis=2, keepdims=True)
    most = np.nanpercentile(norm, 95) if np.isfinite(norm).any() else 1.0  # a few are near a pole
    with np.errstate(invalid="ignore", divide="ignore"):
        field = np.where(norm > 0, field / norm * np.sqrt(np.minimum(norm / (most or 1.0), 1.0)), 0.0)
    width = 0.9 * step * (axis[1] - axis[0])
    panel.quiver(
        x, y, *np.moveaxis(field * width, 2, 0), angles="xy", scale_units="xy", scale=1, width=0.004, color=INK
    )


def plane_picture(name: str, setting: str, one: SimilarityPlane) -> Figure:
    """Draw the plane of a loss on pairs: value, gradient, and the boundary where half of the gradient is left."""

    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        _paint_contours(panel, one.axis, one.values)
        _paint_arrows(panel, one.axis, one.slopes)
        norm = np.linalg.norm(one.slopes, axis=2)
        panel.contour(one.axis, one.axis, norm, levels=[np.nanmax(norm) / 2], colors=RED, linewidths=2)
        panel.set_aspect("equal")
        panel.set_xlabel("s_n, similarity to another class")
        panel.set_ylabel("s_p, similarity within the class")

    return draw(
        paint,
        name=f"plane-{name}",
        height=6.0,
        title=f"Plane of similarities of {name}",
        caption=f"The loss of two images of one class and one of another, {setting}: contours of its value, arrows "
        "along its negative gradient. The red line is where half of the largest gradient is left: the decision "
        "boundary of a hinge and of a logistic loss. No three points have the similarities of the empty corner.",
    )


def embeddings_picture(planes: list[PlaneEmbeddings], classes: list[str], setting: str) -> Figure:
    """Draw the embeddings of one loss beside those of another, on one scale."""
    side = 1.05 * max(float(np.abs(np.concatenate([one.points, one.vectors])).max()) for one in planes)

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(planes), sharex=True, sharey=True, squeeze=False).ravel().tolist()
        for panel, one in zip(panels, planes, strict=True):
            name_panel(panel, one.loss)
            for number, label in enumerate(classes):
                own, colour = one.points[one.labels == number], COLOURS[number % len(COLOURS)]
                panel.plot(*own.T, marker=".", ms=4, ls="", color=colour, alpha=0.5, label=label)
                if len(one.vectors):
                    panel.plot(*one.vectors[number], marker="s", ms=9, ls="", color=colour, mec=INK)
            panel.set_aspect("equal")
            panel.set_xlim(-side, side)
            panel.set_ylim(-side, side)
            panel.grid()
        canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(classes))

    return draw(
        paint,
        name="embeddings-" + "-".join(one.loss for one in planes),
        height=9.6 / len(planes) + 0.4,
        title=f"Two-dimensional embeddings under {', '.join(one.loss for one in planes)}",
        caption=f"Embeddings of the training images in two dimensions, {setting}, on one scale. Squares are the class "
        "vectors.",
    )


def standalone(figure: Figure) -> str:
    """The SVG document of a picture, with its caption as the description, and short paths."""
    short = re.sub(r"(?<=\d\.\d\d)\d+", "", figure.svg)
    short = _ARROWS.sub(lambda path: f'<path d="{" ".join(_D.findall(path[0]))}"{path[2]}/>', short)
    short = _PATH.sub(lambda path: f' d="{_shortened(path[1])}"', short)
    end = short.index("</title>") + len("</title>")
    return f"{short[:end]}\n <desc>{escape(figure.caption)}</desc>{short[end:]}"


def _shortened(outline: str) -> str:
    """An outline with one decimal, which is a tenth of a point, and without the spaces and points that nobody sees."""
    tenths = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), outline)
    joined = re.sub(r"\s*([MLQCz])\s*", r"\1", tenths.replace("\n", " "))
    return re.sub(r"L(\S+ \S+?)(?=L)(?:L\1(?=[LMz]|$))+", r"L\1", joined)
