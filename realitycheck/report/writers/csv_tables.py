"""Scores and differences as CSV, in percent and percentage points."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from realitycheck.report import helped
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.rows import ScoreCell, ScoreRow
from realitycheck.report.study_warnings import find_warnings
from realitycheck.report.warning_records import StudyWarning
from realitycheck.report.wording import points
from realitycheck.runs import Category
from realitycheck.statistics.comparisons import Comparison
from realitycheck.statistics.untrained import Gain

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")

YES = {True: "yes", False: "no"}

DIFFERENCES = (
    *("dataset", "loss", "status", "exploratory", "baseline", "category", "metric", "verdict"),
    *("difference", "low", "high", "p", "p_holm", "detectable", "seeds", "seed_correlation", "reason", "warnings"),
)
"""The columns of the differences table."""

SCORES = ("mean", "half_width", "retraining_half_width", "n")
"""What the table of scores has of every column; the retraining is Student's t over seeds alone."""

GAINS = (
    *("dataset", "loss", "status", "exploratory", "untrained", "category", "metric", "verdict"),
    *("difference", "low", "high", "p_holm", "iteration_0_best", "fold_runs", "reason"),
)
"""The columns of the table of gains over untrained models."""


def scores_csv(findings: Findings) -> str:
    """One line per dataset and loss; mean, half-widths by the estimator and over seeds alone, and n of every column."""
    study, metrics = findings.study, findings.metrics
    names = [f"{column} {part}" for column in study.column_names(metrics) for part in SCORES]
    head = ["dataset", "loss", "distance", "trained", "status", "exploratory", *names]
    columns = [(category, metric) for category in study.categories for metric in metrics]
    rows = [[dataset.dataset, *_score_row(row, columns)] for dataset in findings.datasets for row in dataset.every_row]
    return csv_text([head, *rows])


def differences_csv(findings: Findings) -> str:
    """One line per dataset and loss but the baseline: its paired difference from the baseline."""
    rows = [
        _difference_row(dataset, comparison, warnings)
        for dataset in findings.datasets
        for warnings in [find_warnings(dataset)]
        for comparison in dataset.comparisons
    ]
    return csv_text([DIFFERENCES, *rows])


def gains_csv(findings: Findings) -> str:
    """One line per dataset, untrained model and loss: its difference from a model without training."""
    rows = [
        _gain_row(dataset, training.first_best[gain.label], untrained, gain)
        for dataset in findings.datasets
        if (training := helped.find(dataset))
        for untrained, gained in training.gains.items()
        for gain in gained
    ]
    return csv_text([GAINS, *rows])


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet reads as a formula; plain numbers stay as they are.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not NUMBER.fullmatch(text) else text


def csv_text(lines: Iterable[Sequence[str]]) -> str:
    """Lines of cells as CSV, harmless in a spreadsheet."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[safe_cell(text) for text in line] for line in lines])
    return out.getvalue()


def _score_row(row: ScoreRow, columns: Sequence[tuple[Category, str]]) -> list[str]:
    """The cells of one row; a column of another dataset alone stays empty."""
    known = {(cell.category, cell.metric): _score_cell(cell) for cell in row.cells}
    cells = [text for column in columns for text in known.get(column, ("",) * len(SCORES))]
    return [row.label, row.distance, YES[row.trained], row.status, YES[row.exploratory], *cells]


def _score_cell(cell: ScoreCell) -> tuple[str, ...]:
    mean = "" if cell.mean is None else points(cell.mean)
    intervals = (cell.interval, cell.retraining)
    return mean, *("" if interval is None else points(interval.half_width) for interval in intervals), str(cell.n)


def _gain_row(dataset: DatasetFindings, counts: tuple[int, int], untrained: str, gain: Gain) -> list[str]:
    study, (runs, best) = dataset.study, counts
    ends = ["", ""] if gain.interval is None else [points(gain.interval.low), points(gain.interval.high)]
    return [
        *(dataset.dataset, gain.label, study.statuses[gain.label], YES[gain.label in dataset.exploratory]),
        *(untrained, study.categories[study.category], study.metric, gain.verdict or ""),
        *("" if gain.mean is None else points(gain.mean), *ends),
        *("" if gain.verdict is None else f"{gain.p_holm:.4g}", str(best), str(runs), gain.reason or ""),
    ]


def _difference_row(dataset: DatasetFindings, comparison: Comparison, warnings: Sequence[StudyWarning]) -> list[str]:
    study, interval = dataset.study, comparison.interval
    label, correlation = comparison.label, comparison.correlation
    ends = ["", ""] if interval is None else [points(interval.low), points(interval.high)]
    return [
        *(dataset.dataset, label, study.statuses[label], YES[label in dataset.exploratory]),
        *(study.baseline, study.categories[study.category], study.metric, comparison.verdict or ""),
        *("" if comparison.mean is None else points(comparison.mean), *ends),
        *(("", "") if comparison.verdict is None else (f"{comparison.p:.4g}", f"{comparison.p_holm:.4g}")),
        "" if comparison.detectable is None else points(comparison.detectable),
        *(str(comparison.n), "" if correlation is None else f"{correlation:.2f}", comparison.reason or ""),
        " ".join(warning.code for warning in warnings if warning.concerns(label) or warning.concerns(study.baseline)),
    ]
