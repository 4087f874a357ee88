"""How often the test half was opened, and what was decided afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from realitycheck.report.blocks import Block, Code, Heading, Paragraph, Piece
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.late import after_opening, late
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count, enumeration

OTHERS: tuple[Piece, ...] = (
    "Openings of studies whose records were copied count. Those of other studies are not known to this page, which "
    "follows from its ledger alone; ",
    Code("realitycheck status"),
    " lists those of the studies in the same folder.",
)
"""What the number leaves out."""

TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class OpeningSummary:
    """One opening: the losses that it names, and how many openings of the same half came before it."""

    losses: tuple[str, ...]
    before: int


@dataclass(frozen=True, slots=True)
class Openings:
    """The openings of the test half by this study, in order."""

    openings: tuple[OpeningSummary, ...]


def find(dataset: DatasetFindings) -> Openings:
    """Every dataset has this section."""
    records = dataset.evidence.openings
    return Openings(tuple(OpeningSummary(tuple(opening.searches), opening.number) for opening in records))


def blocks(dataset: DatasetFindings, facts: Openings) -> Iterator[Block]:
    """Print the number of openings and the exploratory losses."""
    yield Heading(3, "Openings of the test half")
    yield Paragraph(tuple(_sentences(dataset, facts)))


def _sentences(dataset: DatasetFindings, facts: Openings) -> Iterator[Piece]:
    if not facts.openings:
        yield "The test half has not been opened: no model has been scored on it."
        return
    number, before = len(facts.openings), facts.openings[0].before
    earlier = f", after {count(before, 'earlier opening')} of the same half" if before else ""
    yield f"The test half was opened {TIMES.get(number, f'{number} times')}{earlier}. "
    yield from OTHERS
    decided, joined = after_opening(dataset.evidence), late(dataset.evidence)
    if decided:
        labels = _named(decided, len(dataset.rows))
        yield f" Exploratory, because they or the claims were decided after the first opening: {labels}."
    if joined:
        labels = enumeration(sorted(joined))
        yield f" Late, because they were set aside as FAILED at the first opening: {labels}."


def _named(labels: Collection[str], total: int) -> str:
    """The names, or their number where they are half of the losses or more."""
    if 2 * len(labels) < total:
        return enumeration(sorted(labels))
    return f"all {total} losses" if len(labels) == total else f"{len(labels)} of {total} losses"


SECTION = Section(
    name="openings",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"openings": facts.openings},
)
