"""The main table as Markdown, CSV, JSON and LaTeX, in the layout of the published tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from realitycheck.report.scores import Cell, Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import COVERS, METRIC_NAMES, percent, points
from realitycheck.runs import METRICS

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
TEX_SPECIALS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def best_labels(dataset: DatasetSummary) -> list[str | None]:
    """Per column, the trained loss with the highest mean; None where no loss has one."""
    columns = zip(*(row.cells for row in dataset.rows), strict=True)
    return [_best(dataset.rows, cells) for cells in columns]


def cell_text(cell: Cell, *, plus_minus: str) -> str:
    """`23.63 ± 0.24`, in points; the mean alone where no interval exists; a dash where nothing does."""
    if cell.mean is None:
        return "–"
    if cell.interval is None:
        return points(cell.mean)
    return f"{points(cell.mean)}{plus_minus}{points(cell.interval.half_width)}"


def marks(row: Row) -> str:
    """What a reader must know beside a loss's name: exploratory, diverged and pending replicates."""
    diverged = max(cell.diverged for cell in row.cells)
    pending = max(cell.pending for cell in row.cells)
    said = [
        "exploratory" if row.exploratory else "",
        f"{diverged} of {len(row.cells[0].values)} diverged" if diverged else "",
        f"{pending} pending" if pending else "",
    ]
    return ", ".join(each for each in said if each)


def markdown(summary: Summary) -> str:
    """One table per dataset; the best mean of a column in bold."""
    parts = [f"# {_md(summary.study)}", _md(summary.question)]
    for dataset in summary.datasets:
        parts += [f"## {_md(dataset.dataset)}", _md(dataset.answer), _markdown_table(summary, dataset)]
    return "\n\n".join([*parts, f"{_unit(summary)} {COVERS}"]) + "\n"


def comma_separated(summary: Summary) -> str:
    """One line per dataset and loss; mean, half-width and n of every column, in points."""
    columns = [f"{name} {metric}" for name in summary.categories.values() for metric in METRIC_NAMES.values()]
    parts = ("mean", "half_width", "n")
    head = ["dataset", "loss", "distance", "trained", *(f"{c} {part}" for c in columns for part in parts)]
    lines = [head]
    for dataset in summary.datasets:
        lines += [[dataset.dataset, *_csv_row(row)] for row in (*dataset.rows, *dataset.untrained)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[safe_cell(text) for text in line] for line in lines])
    return out.getvalue()


def json_text(summary: Summary) -> str:
    """The whole summary with full precision and every part of every interval; scores are fractions of one."""
    body: dict[str, Any] = asdict(summary) | {"finished": summary.finished, "covers": COVERS}
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def latex(summary: Summary) -> str:
    """One booktabs table per dataset; needs `\\usepackage{booktabs}`."""
    return "\n".join(_latex_table(summary, dataset) for dataset in summary.datasets)


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; plain numbers stay as they are.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not NUMBER.fullmatch(text) else text


def tex_escape(text: str) -> str:
    """Text in which no character is a command."""
    return "".join(TEX_SPECIALS.get(mark, mark) for mark in text)


def _best(rows: Sequence[Row], cells: Sequence[Cell]) -> str | None:
    means = [(cell.mean, row.label) for row, cell in zip(rows, cells, strict=True) if cell.mean is not None]
    return max(means, key=lambda pair: pair[0])[1] if means else None


def _unit(summary: Summary) -> str:
    return f"Percent; mean ± half-width of the {percent(summary.level)} interval over {summary.seeds} seeds."


def _md(text: str) -> str:
    """One line of Markdown that shows the text as it is."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _markdown_table(summary: Summary, dataset: DatasetSummary) -> str:
    columns = [f"{name} {metric}" for name in summary.categories.values() for metric in METRIC_NAMES.values()]
    best = best_labels(dataset)
    lines = [["loss", "distance", *columns], ["---", "---", *("---:" for _ in columns)]]
    lines += [_markdown_row(row, best) for row in dataset.rows]
    lines += [_markdown_row(row, best) for row in dataset.untrained]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _markdown_row(row: Row, best: Sequence[str | None]) -> list[str]:
    name = _md(row.label) if row.trained else f"*{_md(row.label)}*"
    texts = [cell_text(cell, plus_minus=" ± ") for cell in row.cells]
    bold = [f"**{t}**" if row.trained and row.label == b else t for t, b in zip(texts, best, strict=True)]
    return [name + (f" ({marks(row)})" if marks(row) else ""), row.distance, *bold]


def _csv_row(row: Row) -> list[str]:
    cells = [text for cell in row.cells for text in _csv_cell(cell)]
    return [row.label, row.distance, "yes" if row.trained else "no", *cells]


def _csv_cell(cell: Cell) -> tuple[str, str, str]:
    mean = "" if cell.mean is None else points(cell.mean)
    return mean, "" if cell.interval is None else points(cell.interval.half_width), str(cell.n)


def _latex_table(summary: Summary, dataset: DatasetSummary) -> str:
    wide, names = len(METRICS), list(summary.categories.values())
    best = best_labels(dataset)
    rules = [rf"\cmidrule(lr){{{2 + wide * i}-{1 + wide * (i + 1)}}}" for i in range(len(names))]
    caption = tex_escape(f"{summary.study} on {dataset.dataset}. {_unit(summary)}").replace("±", r"$\pm$")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{l{'r' * wide * len(names)}}}",
            r"\toprule",
            " & ".join(["", *(rf"\multicolumn{{{wide}}}{{c}}{{{name}}}" for name in names)]) + r" \\",
            "".join(rules),
            " & ".join(["Loss", *(list(METRIC_NAMES.values()) * len(names))]) + r" \\",
            r"\midrule",
            *(_latex_row(row, best) for row in dataset.rows),
            *([r"\midrule"] if dataset.untrained else []),
            *(_latex_row(row, best) for row in dataset.untrained),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_row(row: Row, best: Sequence[str | None]) -> str:
    cells = [
        _latex_cell(cell, bold=row.trained and row.label == label) for cell, label in zip(row.cells, best, strict=True)
    ]
    return " & ".join([tex_escape(row.label), *cells]) + r" \\"


def _latex_cell(cell: Cell, *, bold: bool) -> str:
    if cell.mean is None:
        return "--"
    text = cell_text(cell, plus_minus=r" \pm ")
    return rf"$\mathbf{{{text}}}$" if bold else f"${text}$"
