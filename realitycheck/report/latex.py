"""The main table as LaTeX, in the layout of the published tables."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.report.columns import blocks
from realitycheck.report.labels import FOOTNOTE
from realitycheck.report.scores import Cell, Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.tables import best_labels, cell_text, marks, unit
from realitycheck.report.words import metric_name
from realitycheck.runs import Category

SPECIALS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def latex(summary: Summary) -> str:
    """One booktabs table per dataset, or per category where it would be too wide; needs `\\usepackage{booktabs}`."""
    tables = (_tables(summary, dataset) for dataset in summary.datasets)
    return "\n".join(table for each in tables for table in each)


def tex_escape(text: str) -> str:
    """Text in which no character is a command."""
    return "".join(SPECIALS.get(mark, mark) for mark in text)


def _tables(summary: Summary, dataset: DatasetSummary) -> list[str]:
    return [_table(summary, dataset, block) for block in blocks(summary, dataset)]


def _table(summary: Summary, dataset: DatasetSummary, block: Sequence[Category]) -> str:
    heads, names = [metric_name(each) for each in dataset.metrics], [summary.categories[each] for each in block]
    wide, best = len(heads), best_labels(dataset)
    rules = [rf"\cmidrule(lr){{{2 + wide * i}-{1 + wide * (i + 1)}}}" for i in range(len(names))]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_caption(summary, dataset)}}}",
            rf"\begin{{tabular}}{{l{'r' * wide * len(names)}}}",
            r"\toprule",
            " & ".join(["", *(rf"\multicolumn{{{wide}}}{{c}}{{{name}}}" for name in names)]) + r" \\",
            "".join(rules),
            " & ".join(["Loss", *(heads * len(names))]) + r" \\",
            r"\midrule",
            *(_row(row, best, block) for row in dataset.rows),
            *([r"\midrule"] if dataset.untrained else []),
            *(_row(row, best, block) for row in dataset.untrained),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _caption(summary: Summary, dataset: DatasetSummary) -> str:
    told = f"{summary.study} on {dataset.dataset}. {unit(summary)}"
    footnote = f" {FOOTNOTE}" if summary.reconstructed else ""
    return tex_escape(told + footnote).replace("±", r"$\pm$")


def _row(row: Row, best: Sequence[str | None], block: Sequence[Category]) -> str:
    pairs = [(cell, label) for cell, label in zip(row.cells, best, strict=True) if cell.category in block]
    cells = [_cell(cell, bold=row.trained and row.label == label) for cell, label in pairs]
    name = f"{row.label} ({marks(row)})" if marks(row) else row.label
    return " & ".join([tex_escape(name), *cells]) + r" \\"


def _cell(cell: Cell, *, bold: bool) -> str:
    if cell.mean is None:
        return "--"
    text = cell_text(cell, plus_minus=r" \pm ")
    return rf"$\mathbf{{{text}}}$" if bold else f"${text}$"
