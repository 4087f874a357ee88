"""`published.md`: a study's scores beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping

from realitycheck.report.markdown import plain, table_text
from realitycheck.report.published.beside import Beside, Line, Part
from realitycheck.report.published.words import UNTESTED, explained, references, trust_lines
from realitycheck.report.scores import Row
from realitycheck.report.summary import Summary
from realitycheck.report.tables import cell_text, marks
from realitycheck.report.words import METRIC_NAMES
from realitycheck.runs import Category


def published_markdown(summary: Summary, found: Mapping[str, Beside]) -> str:
    """Per dataset how everybody measured, and a table for each category."""
    parts = [f"# {plain(summary.study)} beside published tables", plain(UNTESTED), plain(explained(summary))]
    for dataset, each in found.items():
        parts += [f"## {plain(dataset)}", _protocols(each)]
        for part in each.parts:
            parts += _part(summary, part)
        parts += [plain(f"{paper}, {name}: {note}.") for paper, name, note in each.notes]
        parts += [plain(f"{paper}: {told}.") for paper, told in references(each)]
    return "\n\n".join(parts) + "\n"


def _protocols(each: Beside) -> str:
    head = ["", "this study", *(plain(table.short) for table in each.tables)]
    rows = [[name, plain(ours), *map(plain, theirs)] for name, ours, theirs in each.protocols]
    return table_text(head, rows, texts=len(head))


def _part(summary: Summary, part: Part) -> list[str]:
    columns = [plain(f"{who} {metric}") for metric in METRIC_NAMES.values() for who in ("ours", *_papers(part))]
    rows = [_line(part.category, line) for line in part.lines]
    said = [plain(f"{who}: {trust}.") for who, trust in trust_lines(part)]
    title = f"### {summary.categories[part.category]}"
    return [title, table_text(["loss", "published as", *columns], rows, texts=2), *said]


def _papers(part: Part) -> list[str]:
    return [table.short for table, _ in part.columns]


def _line(category: Category, line: Line) -> list[str]:
    cells = []
    for metric in METRIC_NAMES:
        cells.append(_ours(line.row, category, metric))
        cells += [loss.numbers[metric].text if loss else "–" for loss in line.published]
    return [_name(line), plain(line.called), *cells]


def _name(line: Line) -> str:
    if line.row is None:
        return "–"
    return plain(line.label) + (f" ({marks(line.row)})" if marks(line.row) else "")


def _ours(row: Row | None, category: Category, metric: str) -> str:
    return cell_text(row.cell(category, metric), plus_minus=" ± ") if row else "–"
