"""The tables as CSV, in points."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from realitycheck.report.columns import column_names, every_metric
from realitycheck.report.scores import Cell, Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import points
from realitycheck.runs import Category
from realitycheck.statistics.comparisons import Comparison

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")

YES = {True: "yes", False: "no"}

DIFFERENCES = (
    *("dataset", "loss", "status", "exploratory", "baseline", "category", "metric", "verdict"),
    *("difference", "low", "high", "p", "p_holm", "seeds", "seed_correlation"),
)
"""The columns of the differences table."""


def scores_csv(summary: Summary) -> str:
    """One line per dataset and loss; mean, half-width and n of every column."""
    parts, metrics = ("mean", "half_width", "n"), every_metric(summary)
    columns = [f"{column} {part}" for column in column_names(summary, metrics) for part in parts]
    head = ["dataset", "loss", "distance", "trained", "status", "exploratory", *columns]
    rows = [
        [dataset.dataset, *_score_row(row, [(each, metric) for each in summary.categories for metric in metrics])]
        for dataset in summary.datasets
        for row in (*dataset.rows, *dataset.untrained)
    ]
    return _written([head, *rows])


def differences_csv(summary: Summary) -> str:
    """One line per dataset and loss but the baseline: its paired difference from the baseline."""
    rows = [_difference_row(summary, dataset, each) for dataset in summary.datasets for each in dataset.comparisons]
    return _written([DIFFERENCES, *rows])


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; plain numbers stay as they are.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not NUMBER.fullmatch(text) else text


def _written(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[safe_cell(text) for text in line] for line in lines])
    return out.getvalue()


def _score_row(row: Row, columns: Sequence[tuple[Category, str]]) -> list[str]:
    """A column that another dataset alone has stays empty."""
    found = {(cell.category, cell.metric): _score_cell(cell) for cell in row.cells}
    cells = [text for column in columns for text in found.get(column, ("", "", ""))]
    return [row.label, row.distance, YES[row.trained], row.status, YES[row.exploratory], *cells]


def _score_cell(cell: Cell) -> tuple[str, str, str]:
    mean = "" if cell.mean is None else points(cell.mean)
    return mean, "" if cell.interval is None else points(cell.interval.half_width), str(cell.n)


def _difference_row(summary: Summary, dataset: DatasetSummary, each: Comparison) -> list[str]:
    where = [summary.baseline, summary.categories[summary.category], summary.metric]
    ends = ["", ""] if each.interval is None else [points(each.interval.low), points(each.interval.high)]
    return [
        *(dataset.dataset, each.label, summary.statuses[each.label], YES[each.label in dataset.exploratory]),
        *(*where, each.verdict or "", "" if each.mean is None else points(each.mean), *ends),
        *(("", "") if each.verdict is None else (f"{each.p:.4g}", f"{each.p_holm:.4g}")),
        *(str(each.n), "" if each.correlation is None else f"{each.correlation:.2f}"),
    ]
