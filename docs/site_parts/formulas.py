"""Formulas as SVG by matplotlib, in the page itself: no script, and no request for one."""

from __future__ import annotations

import html
import io
import re
from functools import cache

import matplotlib as mpl
from docutils import nodes
from matplotlib import mathtext
from matplotlib.font_manager import FontProperties
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

DPI = 72
EM = 10.0
"""Font size in points in which a formula is drawn; its size on the page is relative to the text."""


def connect(app: Sphinx) -> None:
    """Add the renderer `matplotlib`."""
    app.add_html_math_renderer("matplotlib", (_inline, None), (_display, None))


@cache
def drawn(formula: str) -> str:
    """A formula as an `<svg>` in the colour of the text, with its source as a label."""
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": formula, "mathtext.fontset": "dejavuserif"}):
        mathtext.math_to_image(
            f"${formula}$", file, prop=FontProperties(size=EM), dpi=DPI, format="svg", color="#123456"
        )
    picture = file.getvalue().decode()
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture[picture.index("<svg") :], flags=re.DOTALL)
    picture = re.sub(r'<style type="text/css">.*?</style>', "", picture, flags=re.DOTALL)
    width, height = (float(size) / EM for size in re.findall(r'(?:width|height)="([\d.]+)pt"', picture)[:2])
    label = html.escape(formula, quote=True)
    size = f'style="width: {width:.3f}em; height: {height:.3f}em; max-width: 100%; vertical-align: middle"'
    (box,) = re.findall(r'<svg [^>]*viewBox="([^"]*)"', picture)
    picture = f'<svg role="img" aria-label="{label}" {size} viewBox="{box}">{picture[picture.index(">") + 1 :]}'
    return picture.replace("#123456", "currentColor").replace('xlink:href="', 'href="')


def _source(node: nodes.Node) -> str:
    return " ".join(node.astext().split())


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(drawn(_source(node)))
    raise nodes.SkipNode


def _display(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math" style="margin: 1em 0">{drawn(_source(node))}</div>')
    raise nodes.SkipNode
