"""Results as HTML tables, by which a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from realitycheck.search.standing import Standing

HEADS = ("loss", "search", "final", "scores", "diverged", "best validation MAP@R, %")


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, notes: Iterable[str]) -> str:
    """Return a table and a line below it for each note; all texts are escaped.

    Example:
        >>> from realitycheck.verbs.html_tables import html_table
        >>> html_table(["loss"], [["a < b"]], notes=[])
        '<table><thead><tr><th>loss</th></tr></thead><tbody><tr><td>a &lt; b</td></tr></tbody></table>'
    """
    body = "".join(_row("td", row) for row in rows)
    lines = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return f"<table><thead>{_row('th', heads)}</thead><tbody>{body}</tbody></table>{lines}"


def standings_html(standings: Iterable[Standing], *, notes: Iterable[str]) -> str:
    """How far every loss is, a row for each search, with notes below."""
    return html_table(HEADS, map(_cells, standings), notes=notes)


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _cells(standing: Standing) -> tuple[str, ...]:
    pairs = (standing.search_runs, standing.final_runs, standing.scores)
    best = "" if standing.best is None else f"{100 * standing.best:.2f}"
    return standing.name, *(f"{done} of {planned}" for done, planned in pairs), str(standing.diverged), best
