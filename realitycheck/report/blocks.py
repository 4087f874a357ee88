"""What a section of the report consists of: values that every writer can print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from realitycheck.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class Strong:
    """Emphasised text."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width font."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another file of the report, or to an anchor of the page (`#name`)."""

    text: str
    target: str


Piece = str | Strong | Code | Link
Text = str | tuple[Piece, ...]
"""Text without markup, or pieces in order."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Args:
        level: 1 for the page, 2 for a part of it, 3 within a part.
        text: the heading.
        anchor: name by which a `Link` finds it.
        kicker: small print above the page's own heading.
    """

    level: int
    text: str
    anchor: str = ""
    kicker: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `lead` sets it larger."""

    text: Text
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph in small print."""

    text: Text


@dataclass(frozen=True, slots=True)
class Banner:
    """A warning with a list of items."""

    text: Text
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms with a sentence each."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text shown as it is, such as a file."""

    text: str


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Args:
        name: file name without ending; prefixes every id in the drawing.
        drawing: the SVG document, or what draws it; its title describes the drawing to a screen reader.
        alt: the same description.
        caption: what is shown.
        height: inches, which says how long it takes to draw.
    """

    name: str
    drawing: str | Callable[[], str]
    alt: str
    caption: str
    height: float = 0.0

    @cached_property
    def svg(self) -> str:
        """The document, drawn when it is first asked for."""
        return self.drawing if isinstance(self.drawing, str) else self.drawing()

    def take(self, svg: str) -> None:
        """Keep the document that another process drew."""
        vars(self)["svg"] = svg


@dataclass(frozen=True, slots=True)
class Marked:
    """A cell with something to be read beside it.

    Args:
        text: the text of the cell.
        marks: printed in brackets after it.
        below: printed in small type below it.
    """

    text: str
    marks: tuple[str, ...] = ()
    below: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A cell with a mean in [0, 1] and the half-width of its interval.

    `best` is whether it is the best of its column; `retraining` is the half-width of Student's t over seeds, where that
    is another interval.
    """

    mean: float | None
    half_width: float | None
    best: bool = False
    retraining: float | None = None

    @classmethod
    def of(cls, mean: float | None, interval: Interval | None, retraining: Interval | None) -> Estimate:
        """A mean with its interval, and with that over seeds where it is another one."""
        if interval is None or retraining in (None, interval):
            return cls(mean, interval.half_width if interval else None)
        assert retraining is not None
        return cls(mean, interval.half_width, retraining=retraining.half_width)


@dataclass(frozen=True, slots=True)
class Badge:
    """A cell with a verdict; `kind` names its colour."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A cell with a long text, such as a traceback, which the page shows on demand."""

    text: str


Content = str | Strong | Marked | Estimate | Badge | Folded
"""What a cell of a table holds."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        head: its heading.
        number: whether its cells are numbers, set flush right.
        group: heading shared with neighbouring columns of the same group; empty for none.
    """

    head: str
    number: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows that belong together.

    Args:
        rows: the cells of each row, one per column; the first one heads the row.
        head: first cell shared by all rows, which then have one cell fewer; None for none.
        muted: whether the rows are printed paler.
    """

    rows: tuple[tuple[Content, ...], ...]
    head: Content | None = None
    muted: bool = False

    @property
    def lines(self) -> tuple[tuple[Content, ...], ...]:
        """The rows, each with its first cell."""
        return self.rows if self.head is None else tuple((self.head, *row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Args:
        columns: in order; the first one heads the rows.
        groups: the rows.
        caption: what is shown, and in which unit.
        notes: what must be known to read it.
        prose: whether cells hold running text that may be broken anywhere.
    """

    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    caption: Text = ""
    notes: tuple[Text, ...] = ()
    prose: bool = False


@dataclass(frozen=True, slots=True)
class LatexTable:
    """A table for a paper.

    Args:
        table: the table; its notes are printed below it.
        label: by which the paper refers to it.
        about: what the table is, for a comment in the source.
        wide: whether it takes both columns of a page.
    """

    table: Table
    label: str
    about: str
    wide: bool


Block = Heading | Paragraph | Note | Banner | Terms | Verbatim | Figure | Table


def rows_of(lines: Sequence[Sequence[Content]]) -> tuple[RowGroup, ...]:
    """One group of rows; none at all where there is no row."""
    return (RowGroup(tuple(tuple(line) for line in lines)),) if lines else ()


def pieces(text: Text) -> tuple[Piece, ...]:
    """The pieces of a text."""
    return (text,) if isinstance(text, str) else text
