"""Published tables as rows of text, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.errors import InputError
from realitycheck.protocol.validation import nearest
from realitycheck.report.papers.published_tables import (
    PublishedBlock,
    PublishedLoss,
    PublishedTable,
    published_datasets,
    published_papers,
    published_tables,
)
from realitycheck.report.wording import METRIC_NAMES, count

HEAD = ("published as", "here", *METRIC_NAMES.values())
"""The columns of every block."""

EXPLAINED = (
    "percent; mean ± half-width of the 95 % interval over runs, where they were read; "
    "here: the loss of the menu that computes the same, as far as is known"
)
"""The note below the tables."""


@dataclass(frozen=True, slots=True)
class PaperListing:
    """One block, ready to print.

    Args:
        title: paper, dataset and category.
        trust: where its numbers come from.
        details: heading and phrase: table, source and protocol.
        rows: cells under `HEAD`.
        notes: notes on single losses.
    """

    title: str
    trust: str
    details: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def listings(dataset: str) -> tuple[PaperListing, ...]:
    """List every block published on a dataset.

    Raises:
        InputError: no published table of it is known.
    """
    tables = published_tables(dataset)
    if not tables:
        known = (*published_datasets(), *published_papers())
        says = f"'{dataset}' has no published table here. {nearest(dataset, known)}"
        raise InputError.one(dataset, "dataset-unpublished", says)
    return tuple(_listing(table, block) for table in tables for block in table.blocks)


def _listing(table: PublishedTable, block: PublishedBlock) -> PaperListing:
    width = f"{block.category.value}, {block.dims} dimensions, {count(block.n, 'run')}"
    return PaperListing(
        title=f"{table.short} on {table.dataset}: {width}",
        trust=block.trust,
        details=(("Paper", table.paper), ("Table", table.table), ("Source", table.source), *table.protocol.items()),
        rows=tuple(_row(loss) for loss in block.losses),
        notes=tuple(f"{loss.name}: {loss.note}" for loss in block.losses if loss.note),
    )


def _row(loss: PublishedLoss) -> tuple[str, ...]:
    return (loss.name, loss.ours or "–", *(loss.numbers[metric].text for metric in METRIC_NAMES))
