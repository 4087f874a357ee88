"""The pages' templates, with text from outside escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from realitycheck.report import columns, labels, noise, tables, words
from realitycheck.report.facts import fact_lines
from realitycheck.report.published import words as published_words
from realitycheck.report.searches import bounds_reached


def template(name: str) -> Template:
    """A template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        words=words,
        published_words=published_words,
        inline=inline,
        marks=tables.marks,
        bounds_reached=bounds_reached,
        best_labels=tables.best_labels,
        blocks=columns.blocks,
        fact_lines=fact_lines,
        footnote=labels.FOOTNOTE,
        late=noise.LATE,
    )
    environment.filters["number"] = words.number
    return environment.get_template(name)


def inline(svg: str) -> Markup:
    """An SVG document of ours as a part of an HTML page."""
    return Markup(svg[svg.index("<svg ") :])
