"""Tables of a page, of Markdown and of LaTeX as plain cells, and the cells that the records lead to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

TINY = 1e-9
"""A score that is this close to the middle of two printed numbers may be printed as either."""

BOLD = "*"
"""Marks a bold cell, before its text."""


@dataclass(slots=True)
class PrintedTable:
    """A table: its heads, each with the head of its group before it, and its rows of cells."""

    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)


Cell = tuple[str, ...]
"""All texts that a cell may have, without spaces."""


@dataclass(slots=True)
class WantedTable:
    """A table as the records lead to it.

    Args:
        name: what it shows.
        heads: of its columns.
        rows: one cell per column.
        keys: how many columns tell its rows apart.
    """

    name: str
    heads: list[str]
    rows: list[list[Cell]]
    keys: int = 1


def plain(text: str) -> str:
    """A text without spaces, with one kind of minus and of dash."""
    return re.sub(r"\s", "", text).replace("−", "-").replace("\\,", "")


def cell(*parts: str | Cell) -> Cell:
    """A cell of several parts, each of which may have several texts."""
    options = [(part,) if isinstance(part, str) else part for part in parts]
    return tuple(dict.fromkeys(plain("".join(one)) for one in itertools.product(*options)))


def shown(value: float, write: Callable[[float], str]) -> Cell:
    """A number as it may be printed: rounded, from either side."""
    return tuple(dict.fromkeys(plain(write(value + gap)) for gap in (0.0, -TINY, TINY)))


def markdown_tables(text: str) -> list[PrintedTable]:
    """The tables of a Markdown text."""
    tables: list[PrintedTable] = []
    before = ""
    for line in text.splitlines():
        if line.startswith("| ---"):
            tables.append(PrintedTable([_unmarked(one) for one in _split(before)]))
        elif line.startswith("|") and tables and before.startswith("|"):
            tables[-1].rows.append([_markdown_cell(one) for one in _split(line)])
        before = line
    return tables


def _split(line: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _markdown_cell(text: str) -> str:
    bold = text.startswith("**")
    return (BOLD if bold else "") + _unmarked(text.replace("**", ""))


def _unmarked(text: str) -> str:
    return plain(re.sub(r"\\(.)", r"\1", text))


def latex_tables(text: str) -> list[PrintedTable]:
    """The tables of a LaTeX text."""
    parts = re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}(.*?)\\end\{table", text, re.DOTALL)
    return [_latex_table(_with_marks(body, below)) for body, below in parts]


def _with_marks(body: str, below: str) -> str:
    """A table with its marks in words in place of letters; the first note below it has what each letter says."""
    said = dict(re.findall(r"\$\^\{([a-z])\}\$ ([^;}]+)", below))

    def words(match: re.Match[str]) -> str:
        return f" ({', '.join(said.get(letter, '?') for letter in match[1].split(','))})"

    return re.sub(r"\$\^\{([a-z,]+)\}\$", words, body)


def _latex_table(body: str) -> PrintedTable:
    lines = [line.strip() for line in body.splitlines() if line.rstrip().endswith(r"\\")]
    rows = [[part.strip() for part in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))] for line in lines]
    groups: list[str] = []
    if rows and any("multicolumn" in part for part in rows[0]):
        for part in rows.pop(0):
            match = re.match(r"\\multicolumn\{(\d+)\}\{\w+\}\{(.*)\}", part)
            groups += [_latex_plain(match[2])] * int(match[1]) if match else [""]
    if not rows:
        return PrintedTable([])
    heads = [_latex_plain(part) for part in rows.pop(0)]
    groups = groups or [""] * len(heads)
    joined = [plain(group + head) for group, head in zip(groups, heads, strict=False)]
    return PrintedTable(joined, [[_latex_cell(part) for part in row] for row in rows])


def _latex_cell(text: str) -> str:
    return (BOLD if r"\mathbf" in text or r"\textbf" in text else "") + _latex_plain(text)


def _latex_plain(text: str) -> str:
    text = re.sub(r"\\(?:mathbf|textbf)\{(.*)\}", r"\1", text)
    text = text.replace(r"\pm", "±").replace("\\ ", "").replace("$", "").replace("--", "–")
    return plain(re.sub(r"\\([&%#_{}])", r"\1", text))


class _Page(HTMLParser):
    """Collects the tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[PrintedTable] = []
        self.lines: list[list[tuple[str, int, int]]] = []
        self.heads: list[list[tuple[str, int, int]]] = []
        self.text: str | None = None
        self.spans, self.in_head = (1, 1), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.lines, self.heads = [], []
        elif tag == "thead":
            self.in_head = True
        elif tag == "tr":
            (self.heads if self.in_head else self.lines).append([])
        elif tag in ("th", "td"):
            self.text, self.spans = "", (int(given.get("colspan") or 1), int(given.get("rowspan") or 1))
        elif tag in ("b", "strong") and self.text == "":
            self.text = BOLD

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "thead":
            self.in_head = False
        elif tag in ("th", "td") and self.text is not None:
            part = self.heads if self.in_head else self.lines
            if part:
                part[-1].append((plain(self.text), *self.spans))
            self.text = None
        elif tag == "table":
            self.tables.append(PrintedTable(_joined(self.heads), list(_filled(self.lines))))


def _joined(rows: Sequence[Sequence[tuple[str, int, int]]]) -> list[str]:
    """The heads of columns, those of groups before them."""
    wide = [[text for text, width, _ in row for _ in range(width)] for row in rows]
    return ["".join(column) for column in itertools.zip_longest(*wide, fillvalue="")]


def _filled(rows: Sequence[Sequence[tuple[str, int, int]]]) -> Iterator[list[str]]:
    """Rows of cells; one that spans several rows is in each of them."""
    hanging: dict[int, tuple[str, int]] = {}
    for row in rows:
        line: list[str] = []
        left = list(row)
        while left or len(line) in hanging:
            if len(line) in hanging:
                text, more = hanging.pop(len(line))
                if more > 1:
                    hanging[len(line)] = (text, more - 1)
                line.append(text)
                continue
            text, width, height = left.pop(0)
            if height > 1:
                hanging[len(line)] = (text, height - 1)
            line += [text] * width
        yield line


def page_tables(text: str) -> list[PrintedTable]:
    """The tables of an HTML page."""
    page = _Page()
    page.feed(text)
    return page.tables
