"""Blocks as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import singledispatch

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
    Strong,
    Table,
    Terms,
    Text,
    Verbatim,
    pieces,
)
from realitycheck.report.wording import DASH, marked, points


def markdown(blocks: Iterable[Block]) -> str:
    """Render blocks as Markdown in which text from outside is shown as it is."""
    return "\n\n".join(map(block_markdown, blocks)) + "\n"


def plain(text: str) -> str:
    """One line of Markdown that shows the text as it is."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


@singledispatch
def block_markdown(block: Block) -> str:
    """Render one block."""
    raise TypeError(f"no block of a report: {type(block).__name__}")


@block_markdown.register
def _(block: Heading) -> str:
    kicker = f"\n\n{plain(block.kicker)}" if block.kicker else ""
    return f"{'#' * block.level} {plain(block.text)}{kicker}"


@block_markdown.register(Paragraph)
@block_markdown.register(Note)
def _(block: Paragraph | Note) -> str:
    return _text(block.text)


@block_markdown.register
def _(block: Banner) -> str:
    return "\n".join([f"> {_text(block.text)}", ">", *(f"> - {plain(item)}" for item in block.items)])


@block_markdown.register
def _(block: Terms) -> str:
    return "\n".join(f"- **{plain(term)}**: {plain(text)}" for term, text in block.items)


@block_markdown.register
def _(block: Verbatim) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", block.text)), 3)
    return f"{fence}\n{block.text.rstrip()}\n{fence}"


@block_markdown.register
def _(block: Figure) -> str:
    return f"![{plain(block.alt)}](figures/{block.name}.svg)\n\n{plain(block.caption)}"


@block_markdown.register
def _(block: Table) -> str:
    lines = [[_content(cell) for cell in line] for group in block.groups for line in group.lines]
    rule = ["---:" if column.number else "---" for column in block.columns]
    rows = [[_head(column) for column in block.columns], rule, *lines]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    caption = [_text(block.caption)] if block.caption else []
    return "\n\n".join([*caption, table, *map(_text, block.notes)])


def _text(text: Text) -> str:
    return " ".join("".join(map(_piece, pieces(text))).split())


def _piece(piece: Piece) -> str:
    match piece:
        case str():
            return _inline(piece)
        case Strong():
            return f"**{plain(piece.text)}**"
        case Code():
            return f"`{piece.text}`"
        case Link():
            return plain(piece.text) if piece.target.startswith("#") else f"[{plain(piece.text)}]({piece.target})"


def _inline(text: str) -> str:
    """Escaped text that keeps the space around it."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)


def _head(column: Column) -> str:
    return plain(f"{column.group} {column.head}" if column.group else column.head)


def _content(content: Content) -> str:
    match content:
        case str():
            return plain(content)
        case Strong():
            return _piece(content)
        case Marked():
            return plain(_marked(content))
        case Estimate():
            return _estimate(content)
        case Badge() | Folded():
            return plain(content.text)


def _marked(content: Marked) -> str:
    text = f"{content.text} / {content.below}" if content.below else content.text
    return marked(text, content.marks)


def _estimate(content: Estimate) -> str:
    if content.mean is None:
        return DASH
    half = "" if content.half_width is None else f" ± {points(content.half_width)}"
    half += "" if content.retraining is None else f" ({points(content.retraining)})"
    return f"**{points(content.mean)}{half}**" if content.best else f"{points(content.mean)}{half}"
