"""Blocks as HTML: one offline page, readable without its only script, in which text from outside is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch
from html import escape
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from realitycheck.report.blocks import (
    Badge,
    Banner,
    Block,
    Code,
    Column,
    Content,
    Estimate,
    Figure,
    Folded,
    Heading,
    Link,
    Marked,
    Note,
    Paragraph,
    Piece,
    RowGroup,
    Strong,
    Table,
    Terms,
    Text,
    Verbatim,
    pieces,
)
from realitycheck.report.wording import DASH, points
from realitycheck.report.writers.contents import anchored, contents_html
from realitycheck.report.writers.figure_theme import definitions, themed

FOLDER = Path(__file__).parent


def page(title: str, blocks: Iterable[Block], footer: Iterable[Block]) -> str:
    """Render a page: a header up to the first heading of level 2, then one section for each of these."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=False, undefined=StrictUndefined, trim_blocks=True
    )
    style = environment.get_template("page.css").render(
        figure_light=definitions(dark=False), figure_dark=definitions(dark=True)
    )
    script = (FOLDER / "sort_tables.js").read_text(encoding="utf-8")
    named = anchored(blocks)
    return environment.get_template("frame.html.j2").render(
        title=escape(title),
        style=style,
        script=script,
        script_hash=_source_hash(script),
        contents=contents_html(named),
        body="\n".join(_sections(named)),
        footer="\n".join(map(block_html, footer)),
    )


def _source_hash(script: str) -> str:
    """What a content-security policy calls a script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _sections(blocks: Sequence[Block]) -> Iterator[str]:
    tag = "header"
    yield "<header>"
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            yield f'</{tag}>\n\n<section aria-labelledby="{escape(block.anchor)}">'
            tag = "section"
        yield block_html(block)
    yield f"</{tag}>"


@singledispatch
def block_html(block: Block) -> str:
    """Render one block."""
    raise TypeError(f"no block of a report: {type(block).__name__}")


@block_html.register
def _(block: Heading) -> str:
    anchor = f' id="{escape(block.anchor)}"' if block.anchor else ""
    kicker = f'<p class="kicker">{escape(block.kicker)}</p>\n' if block.kicker else ""
    return f"{kicker}<h{block.level}{anchor}>{escape(block.text)}</h{block.level}>"


@block_html.register
def _(block: Paragraph) -> str:
    kind = ' class="lead"' if block.lead else ""
    return f"<p{kind}>{_text(block.text)}</p>"


@block_html.register
def _(block: Note) -> str:
    return f'<p class="note">{_text(block.text)}</p>'


@block_html.register
def _(block: Banner) -> str:
    items = "\n".join(f"<li>{escape(item)}</li>" for item in block.items)
    return f'<div class="banner" role="note">{_text(block.text)}\n<ul>\n{items}\n</ul>\n</div>'


@block_html.register
def _(block: Terms) -> str:
    items = "\n".join(f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in block.items)
    return f'<dl class="terms">\n{items}\n</dl>'


@block_html.register
def _(block: Verbatim) -> str:
    return f'<pre tabindex="0">{escape(block.text)}</pre>'


@block_html.register
def _(block: Figure) -> str:
    svg = themed(block.svg[block.svg.index("<svg ") :])
    return f"<figure>{_scrolled(svg, block.alt)}\n<figcaption>{escape(block.caption)}</figcaption></figure>"


@block_html.register
def _(block: Table) -> str:
    names = [name for name, holds in (("prose", block.prose), ("sortable", _sortable(block))) if holds]
    kind = f' class="{" ".join(names)}"' if names else ""
    caption = f'<p class="caption">{_text(block.caption)}</p>\n' if block.caption else ""
    groups = "\n".join(_group(block.columns, group) for group in block.groups)
    table = f'<table{kind} aria-label="{escape(_name(block))}">\n{_head(block.columns)}\n{groups}\n</table>'
    notes = "\n".join(f'<p class="note">{_text(note)}</p>' for note in block.notes)
    beside = f'\n<div class="notes">\n{notes}\n</div>' if notes else ""
    return f'{caption}<div class="beside">\n{_scrolled(table, _name(block))}{beside}\n</div>'


def _sortable(table: Table) -> bool:
    """Whether its rows can change places: there are several, and none shares its first cell with the next."""
    several = any(len(group.rows) > 1 for group in table.groups)
    return several and not table.prose and all(group.head is None for group in table.groups)


def _name(table: Table) -> str:
    """What a screen reader calls the table."""
    words = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces(table.caption))
    return words or f"Table by {table.columns[0].head}"


def _scrolled(inner: str, name: str) -> str:
    """A wide part that scrolls by itself, also by the keyboard."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name)}">\n{inner}\n</div>'


def _text(text: Text) -> str:
    return "".join(map(_piece, pieces(text)))


def _piece(piece: Piece) -> str:
    match piece:
        case str():
            return escape(piece)
        case Strong():
            return f"<b>{escape(piece.text)}</b>"
        case Code():
            return f"<code>{escape(piece.text)}</code>"
        case Link():
            return f'<a href="{escape(piece.target)}">{escape(piece.text)}</a>'


def _head(columns: tuple[Column, ...]) -> str:
    """One row of headings, below a row of those that several columns share."""
    rows = []
    if any(column.group for column in columns):
        groups = [(name, len(list(group))) for name, group in groupby(columns, key=lambda column: column.group)]
        rows.append("".join(_group_head(name, width) for name, width in groups))
    rows.append(
        "".join(
            f'<th{_classes(columns, place)} scope="col">{escape(column.head)}</th>'
            for place, column in enumerate(columns)
        )
    )
    return "<thead>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</thead>"


def _group_head(name: str, width: int) -> str:
    if not name:
        return "<td></td>" * width
    return f'<th class="group" colspan="{width}" scope="colgroup">{escape(name)}</th>'


def _classes(columns: tuple[Column, ...], place: int) -> str:
    """The classes of a column: numbers are flush right, and a group is set off from the column before it."""
    column, before = columns[place], columns[place - 1] if place else None
    first = bool(column.group) and (before is None or before.group != column.group)
    names = [name for name, holds in (("n", column.number), ("first", first)) if holds]
    return f' class="{" ".join(names)}"' if names else ""


def _group(columns: tuple[Column, ...], group: RowGroup) -> str:
    rows, kinds = [], [_classes(columns, place) for place in range(len(columns))]
    for number, line in enumerate(group.lines):
        spanned = group.head is not None
        head = _row_head(line[0], span=len(group.rows) if spanned else 0) if not spanned or number == 0 else ""
        cells = "".join(f"<td{kind}>{_content(cell)}</td>" for kind, cell in zip(kinds[1:], line[1:], strict=True))
        rows.append(f"<tr>{head}{cells}</tr>")
    kind = ' class="muted"' if group.muted else ""
    return f"<tbody{kind}>\n" + "\n".join(rows) + "\n</tbody>"


def _row_head(content: Content, *, span: int) -> str:
    scope = f'scope="rowgroup" rowspan="{span}"' if span else 'scope="row"'
    return f"<th {scope}>{_content(content)}</th>"


def _content(content: Content) -> str:
    match content:
        case str() | Strong():
            return _piece(content)
        case Marked():
            return _marked(content)
        case Estimate():
            return _estimate(content)
        case Badge():
            return f'<span class="badge {escape(content.kind)}">{escape(content.text)}</span>'
        case Folded():
            return f'<details><summary>show</summary><pre tabindex="0">{escape(content.text)}</pre></details>'


def _marked(content: Marked) -> str:
    marks = f'<span class="mark">({escape(", ".join(content.marks))})</span>' if content.marks else ""
    lower = f'<span class="below">{escape(content.below)}</span>' if content.below else ""
    return f"{escape(content.text)}{marks}{lower}"


def _estimate(content: Estimate) -> str:
    if content.mean is None:
        return DASH
    mean = f"<b>{points(content.mean)}</b>" if content.best else points(content.mean)
    half = "" if content.half_width is None else f" ± {points(content.half_width)}"
    inner = "" if content.retraining is None else f" ({points(content.retraining)})"
    return f'{mean}<span class="half">{half}{inner}</span>' if half or inner else mean
