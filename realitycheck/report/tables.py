"""What all tables share, and the whole summary as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from realitycheck.report.labels import FOOTNOTE
from realitycheck.report.scores import Cell, Row
from realitycheck.report.summary import DatasetSummary, Summary
from realitycheck.report.words import percent, points


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
    """What a reader must know beside a loss's name: reconstruction, exploratory, diverged and pending replicates."""
    diverged = max(cell.diverged for cell in row.cells)
    pending = max(cell.pending for cell in row.cells)
    said = [
        *row.marks,
        f"{diverged} of {len(row.cells[0].values)} diverged" if diverged else "",
        f"{pending} pending" if pending else "",
    ]
    return ", ".join(each for each in said if each)


def unit(summary: Summary) -> str:
    """What stands in the cells of the main table."""
    return f"Percent; mean ± half-width of the {percent(summary.level)} interval over {summary.seeds} seeds."


def footnotes(summary: Summary) -> list[str]:
    """What stands below the tables: what intervals cover, and what a mark means."""
    return [summary.covers, FOOTNOTE] if summary.reconstructed else [summary.covers]


def json_text(summary: Summary) -> str:
    """The whole summary with full precision and every part of every interval; scores are fractions of one."""
    body: dict[str, Any] = asdict(summary) | {"finished": summary.finished}
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def _best(rows: Sequence[Row], cells: Sequence[Cell]) -> str | None:
    means = [(cell.mean, row.label) for row, cell in zip(rows, cells, strict=True) if cell.mean is not None]
    return max(means, key=lambda pair: pair[0])[1] if means else None
