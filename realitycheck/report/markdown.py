"""The tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from realitycheck.report.columns import column_names, primary_name
from realitycheck.report.noise import LATE, Floor, Noise
from realitycheck.report.scores import Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.tables import best_labels, cell_text, footnotes, marks, unit
from realitycheck.report.words import decimal, metric_name, p_value, percent, points, signed, span
from realitycheck.statistics.comparisons import Comparison


def markdown(summary: Summary) -> str:
    """Per dataset the scores, the differences and the noise floor; the best mean of a column in bold."""
    parts = [f"# {plain(summary.study)}", plain(summary.question)]
    for dataset in summary.datasets:
        parts += [f"## {plain(dataset.dataset)}", *(plain(text) for text in (dataset.answer, dataset.capped) if text)]
        parts += [_scores(summary, dataset), f"{unit(summary)} {plain(' '.join(footnotes(summary)))}"]
        parts += _differences(summary, dataset) if dataset.comparisons else []
        parts += _noise(summary, dataset.noise) if dataset.noise else []
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """One line of Markdown that shows the text as it is."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def table_text(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> str:
    """A table whose first columns hold text and the others numbers."""
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))


def _scores(summary: Summary, dataset: DatasetSummary) -> str:
    best = best_labels(dataset)
    rows = [_score_row(row, best) for row in (*dataset.rows, *dataset.untrained)]
    return table_text(["loss", "distance", *column_names(summary, dataset.metrics)], rows, texts=2)


def _score_row(row: Row, best: Sequence[str | None]) -> list[str]:
    name = plain(row.label) if row.trained else f"*{plain(row.label)}*"
    texts = [cell_text(cell, plus_minus=" ± ") for cell in row.cells]
    bold = [f"**{t}**" if row.trained and row.label == b else t for t, b in zip(texts, best, strict=True)]
    return [name + (f" ({marks(row)})" if marks(row) else ""), row.distance, *bold]


def _differences(summary: Summary, dataset: DatasetSummary) -> list[str]:
    interval = f"{percent(summary.level)} interval"
    head = ["loss", "verdict", "difference", interval, "Holm p", "seeds", "seed correlation"]
    by_label = {row.label: row for row in dataset.rows}
    rows = [_difference_row(each, by_label[each.label]) for each in dataset.comparisons]
    what = f"Minus {summary.shown(summary.baseline)}, paired by seed, in points of {primary_name(summary)}"
    told = f"{what}; differences within ±{points(summary.smallest_difference)} points were declared not to matter."
    return [f"### Against {plain(summary.shown(summary.baseline))}", table_text(head, rows, texts=2), plain(told)]


def _difference_row(each: Comparison, row: Row) -> list[str]:
    name = plain(each.label) + (f" ({', '.join(row.marks)})" if row.marks else "")
    return [
        name,
        each.verdict or "not yet",
        "–" if each.mean is None else signed(each.mean),
        "–" if each.interval is None else span(each.interval),
        "–" if each.verdict is None else p_value(each.p_holm),
        str(each.n),
        "–" if each.correlation is None else decimal(each.correlation),
    ]


def _noise(summary: Summary, noise: Noise) -> list[str]:
    interval = f"{percent(summary.level)} interval"
    head = ["column", "furthest apart", "spread", "deviation", "largest difference", interval, "further apart"]
    rows = [_noise_row(summary, floor) for floor in noise.floors]
    names = ", ".join(summary.shown(label) for label in noise.labels)
    late = f" {LATE}" if noise.late else ""
    told = plain(f"{noise.sentence} The names: {names}.{late}")
    return ["### The noise floor", told, *([table_text(head, rows, texts=2)] if rows else [])]


def _noise_row(summary: Summary, floor: Floor) -> list[str]:
    pair = floor.largest
    return [
        f"{summary.categories[floor.category]} {metric_name(floor.metric)}",
        plain(f"{summary.shown(pair.higher)} over {summary.shown(pair.lower)}"),
        points(floor.spread),
        points(floor.sd),
        signed(pair.gap),
        "–" if pair.interval is None else span(pair.interval),
        f"{floor.further} of {floor.pairs}" if floor.pairs else "–",
    ]
