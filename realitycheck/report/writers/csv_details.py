"""Every seed and every chosen setting as CSV, in percent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.rows import ScoreRow
from realitycheck.report.sections import search_results
from realitycheck.report.sections.search_results import Knob, SearchSummary
from realitycheck.report.wording import number
from realitycheck.report.writers.csv_tables import YES, csv_text
from realitycheck.runs import Category

SETTINGS = (
    *("dataset", "loss", "search", "trial", "source", "validation_map_at_r", "hyper_parameter", "value", "raw"),
    *("scale", "low", "high", "options", "at_bound"),
)
"""The columns of the chosen settings."""


def seeds_csv(findings: Findings) -> str:
    """One line per dataset, loss and replicate: its test score in every column, empty where it has none.

    Untrained models have lines of their own; a deterministic one has a single line, which holds for every seed.
    """
    study, metrics = findings.study, findings.metrics
    head = ["dataset", "loss", "trained", "search", "replicate", *study.column_names(metrics)]
    columns = [(category, metric) for category in study.categories for metric in metrics]
    lines = [
        [dataset.dataset, *line]
        for dataset in findings.datasets
        for row in dataset.every_row
        for line in _seed_lines(row, columns, searches=study.searches)
    ]
    return csv_text([head, *lines])


def settings_csv(findings: Findings) -> str:
    """One line per hyper-parameter of the setting that each search chose."""
    lines = [
        line
        for dataset in findings.datasets
        for search in search_results.find(dataset).searches
        for line in _setting_lines(dataset, search)
    ]
    return csv_text([SETTINGS, *lines])


def _seed_lines(row: ScoreRow, columns: Sequence[tuple[Category, str]], *, searches: int) -> Iterator[list[str]]:
    known = {(cell.category, cell.metric): cell.values for cell in row.cells}
    count = len(row.cells[0].values)
    share = max(1, count // searches)
    for place in range(count):
        # Scores are listed search by search; searches take turns in the replicates' numbers.
        which, turn = divmod(place, share)
        search = str(which + 1) if row.trained and count >= searches else ""
        number = turn * searches + which + 1 if count >= searches else place + 1
        scores = [_percent(known[column][place]) if column in known else "" for column in columns]
        yield [row.label, YES[row.trained], search, str(number), *scores]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.6f}"


def _setting_lines(dataset: DatasetFindings, search: SearchSummary) -> Iterator[list[str]]:
    value = "" if search.value is None else f"{100 * search.value:.6f}"
    trial = "" if search.trial is None else str(search.trial)
    for knob in search.knobs:
        chosen = [search.label, str(search.number + 1), trial, search.source or "", value]
        yield [dataset.dataset, *chosen, *_knob_cells(knob)]


def _knob_cells(knob: Knob) -> list[str]:
    low, high = map(repr, knob.bounds) if knob.bounds else ("", "")
    raw = "" if knob.raw is None else str(knob.raw)
    options = " ".join(map(number, knob.options))
    return [knob.name, str(knob.value), raw, knob.scale, low, high, options, knob.on_bound or ""]
