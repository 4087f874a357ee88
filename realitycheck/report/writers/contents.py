"""The contents list of a page, and the anchors that it leads to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from itertools import chain, count

from realitycheck.report.blocks import Block, Heading


def anchored(blocks: Iterable[Block]) -> list[Block]:
    """Give every heading of level 2 or 3 an anchor: one of its text where it has none, and no two alike."""
    all_blocks = list(blocks)
    used = {"main", *(block.anchor for block in all_blocks if isinstance(block, Heading))}
    named: list[Block] = []
    for block in all_blocks:
        if isinstance(block, Heading) and block.level > 1 and not block.anchor:
            anchor = _free(_slug(block.text), used)
            used.add(anchor)
            block = replace(block, anchor=anchor)
        named.append(block)
    return named


def contents_html(blocks: Sequence[Block]) -> str:
    """Links to the headings of level 2, with those of level 3 below each; empty for a page with fewer than two."""
    heads = [block for block in blocks if isinstance(block, Heading) and block.level > 1]
    if len(heads) < 2:
        return ""
    entries = "\n".join(_entry(place, heads) for place, head in enumerate(heads) if head.level == 2)
    return f'<nav aria-label="Contents">\n<p>Contents</p>\n<ol>\n{entries}\n</ol>\n</nav>'


def _entry(place: int, heads: Sequence[Heading]) -> str:
    below = []
    for head in heads[place + 1 :]:
        if head.level == 2:
            break
        below.append(f"<li>{_link(head)}</li>")
    inner = f"\n<ol>\n{chr(10).join(below)}\n</ol>" if below else ""
    return f"<li>{_link(heads[place])}{inner}</li>"


def _link(head: Heading) -> str:
    return f'<a href="#{escape(head.anchor)}">{escape(head.text)}</a>'


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def _free(slug: str, used: set[str]) -> str:
    """The slug, or with a number from 2 on where it is taken."""
    return next(name for name in chain([slug], (f"{slug}-{n}" for n in count(2))) if name not in used)
