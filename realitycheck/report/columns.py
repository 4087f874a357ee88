"""The columns of the main table: every category with every score, and how many of them fit side by side."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import METRIC_NAMES, metric_name
from realitycheck.runs import METRICS, NMI, RECALL, Category

WIDEST = 9
"""Columns that a page holds beside the names of the losses: three categories with the three scores of every study."""


def column_names(summary: Summary, metrics: Sequence[str]) -> list[str]:
    """`aggregate-128 MAP@R` and the others, in the order of a row's cells."""
    return [f"{name} {metric_name(metric)}" for name in summary.categories.values() for metric in metrics]


def primary_name(summary: Summary) -> str:
    """The column in which verdicts are given."""
    return f"{summary.categories[summary.category]} {METRIC_NAMES[summary.metric]}"


def every_metric(summary: Summary) -> list[str]:
    """The scores of all datasets, each once, in the order of the columns; a protocol may ask for others on each."""
    found = {metric for dataset in summary.datasets for metric in dataset.metrics} | set(METRICS)
    return sorted(found, key=_place)


def blocks(summary: Summary, dataset: DatasetSummary) -> list[list[Category]]:
    """The categories of each table where the columns may not fit side by side: all in one, or one in each."""
    categories = list(summary.categories)
    return [categories] if len(categories) * len(dataset.metrics) <= WIDEST else [[each] for each in categories]


def _place(metric: str) -> tuple[int, int]:
    if metric in METRICS:
        return 0, METRICS.index(metric)
    return (2, 0) if metric == NMI else (1, int(metric.removeprefix(RECALL)))
