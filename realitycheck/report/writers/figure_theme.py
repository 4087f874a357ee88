"""The colours of figures on a light and on a dark page."""

from __future__ import annotations

import re

DARK = {
    "#ffffff": "#15191e",
    "#222222": "#e4e7eb",
    "#4d4d4d": "#b5bcc4",
    "#5a6068": "#a7afb8",
    "#8a9099": "#8a9099",
    "#e8eef4": "#26303a",
    "#eef0f2": "#272e36",
    "#b00020": "#ff6b78",
    "#0072b2": "#4ba3dc",
    "#d55e00": "#f08a3c",
    "#009e73": "#2cc59a",
    "#cc79a7": "#de97bd",
    "#56b4e9": "#56b4e9",
    "#e69f00": "#e69f00",
    "#7a5195": "#b48fd0",
}
"""A colour of `report.drawing` → its counterpart on a dark page.

Marks, lines and text have a contrast of at least 3 to 1 there (WCAG 2.2, 1.4.11); grids and bands are fainter.
"""


def themed(svg: str) -> str:
    """A drawing whose colours are variables of the page's style sheet."""
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: _variable(match[0]), svg)


def definitions(*, dark: bool) -> str:
    """The variables as lines of a style sheet."""
    return "\n".join(f"  {_name(light)}: {night if dark else light};" for light, night in DARK.items())


def _variable(colour: str) -> str:
    return f"var({_name(colour)})" if colour in DARK else colour


def _name(colour: str) -> str:
    return f"--figure-{colour[1:]}"
