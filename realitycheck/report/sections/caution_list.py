"""The warnings that must be read beside the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realitycheck.report.blocks import Block, Code, Column, Content, Heading, Paragraph, Table, Text, rows_of
from realitycheck.report.cautions import Caution, find_cautions
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count

ANCHOR = "warnings"


@dataclass(frozen=True, slots=True)
class Cautions:
    """The warnings of one dataset, in order; their numbers on the page count from 1."""

    warnings: tuple[Caution, ...]


def find(dataset: DatasetFindings) -> Cautions:
    """Every dataset has this section."""
    return Cautions(tuple(find_cautions(dataset)))


def blocks(dataset: DatasetFindings, facts: Cautions) -> Iterator[Block]:
    """Print one line per warning."""
    several = len(dataset.study.datasets) > 1
    yield Heading(2, f"Warnings on {dataset.dataset}" if several else "Warnings", anchor="" if several else ANCHOR)
    if not facts.warnings:
        yield Paragraph("None.")
        return
    yield Table(
        (Column("No.", number=True), Column("Warning"), Column("What was found")),
        rows_of([_line(number, caution) for number, caution in enumerate(facts.warnings, 1)]),
        prose=True,
    )


def _line(number: int, caution: Caution) -> tuple[Content, ...]:
    return (str(number), caution.code, caution.sentence)


def summary(cautions: Sequence[Caution]) -> Text:
    """How many warnings there are, and which."""
    if not cautions:
        return "There is no warning."
    pieces = [Code(caution.code) for caution in cautions]
    head = f"{count(len(cautions), 'warning')} must be read beside the verdicts: "
    joined = [piece for code in pieces for piece in (", ", code)][1:]
    return (head, *joined, ".")


def numbers_of(label: str, cautions: Sequence[Caution]) -> list[str]:
    """The numbers of the warnings about one loss."""
    return [str(number) for number, caution in enumerate(cautions, 1) if label in caution.labels]


def note(cautions: Sequence[Caution]) -> str:
    """All warnings as one text, for a table that is read by itself."""
    if not cautions:
        return "Warnings: none."
    parts = [f"({number}) {caution.sentence}" for number, caution in enumerate(cautions, 1)]
    return f"Warnings: {' '.join(parts)}"


SECTION = Section(
    name="warnings",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"warnings": facts.warnings},
)
