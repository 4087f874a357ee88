"""What is said beside published numbers, on the page and in Markdown alike."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.report.published.beside import Beside, Part
from realitycheck.report.summary import Summary
from realitycheck.report.words import count, percent

UNTESTED = (
    "Others measured these losses on this dataset, each under a protocol of their own. A gap between their number and "
    "ours can come from whatever was not alike, so none is tested, and none is a verdict on a loss."
)
"""What a reader must know before any number."""


def explained(summary: Summary) -> str:
    """What stands in the cells of a part."""
    return (
        f"Percent; mean ± half-width of the interval, {percent(summary.level)} over seeds for ours, 95 % over runs for "
        "published numbers. A dash stands for what was not read."
    )


def trust_lines(part: Part) -> Iterator[tuple[str, str]]:
    """Each paper of a part, with the width and the runs behind its numbers and how far to trust them."""
    for table, block in part.columns:
        yield table.short, f"{block.dims} numbers an image, {count(block.n, 'run')}; {block.trust}"


def references(found: Beside) -> Iterator[tuple[str, str]]:
    """Each paper in full, with the table meant and where its numbers were read."""
    for table in found.tables:
        yield table.short, f"{table.paper}; {table.table}. Read in: {table.source}"
