"""The warnings that must be read beside the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realitycheck.report.blocks import Block, Code, Column, Content, Heading, Link, Paragraph, Table, Text, rows_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.ranking_warnings import Correlations, find_correlations
from realitycheck.report.sections.base import Section
from realitycheck.report.study_warnings import find_warnings
from realitycheck.report.warning_records import StudyWarning
from realitycheck.report.wording import FOOTNOTE, count, safe_name


@dataclass(frozen=True, slots=True)
class Warnings:
    """The warnings of one dataset.

    Args:
        warnings: in order; their numbers on the page count from 1.
        correlations: of the test score with what may predict it, whether or not there is a warning of them.
    """

    warnings: tuple[StudyWarning, ...]
    correlations: Correlations


def find(dataset: DatasetFindings) -> Warnings:
    """Every dataset has this section."""
    return Warnings(tuple(find_warnings(dataset)), find_correlations(dataset))


def blocks(dataset: DatasetFindings, facts: Warnings) -> Iterator[Block]:
    """Print one line per warning, and the correlations."""
    yield Heading(3, "What to distrust", anchor=_anchor(dataset))
    if facts.warnings:
        yield Table(
            (Column("No."), Column("Warning"), Column("What was found")),
            rows_of([_line(number, warning) for number, warning in enumerate(facts.warnings, 1)]),
            prose=True,
        )
    else:
        yield Paragraph("There is no warning.")
    if facts.correlations.sentence:
        yield Paragraph(facts.correlations.sentence)


def _line(number: int, warning: StudyWarning) -> tuple[Content, ...]:
    return (str(number), warning.code, warning.sentence)


def summary(dataset: DatasetFindings) -> Text:
    """How many warnings there are, and which, with a link to the list."""
    warnings = find(dataset).warnings
    if not warnings:
        return "There is no warning."
    listed = [piece for warning in warnings for piece in (", ", Code(warning.code))][1:]
    number = Link(count(len(warnings), "warning"), f"#{_anchor(dataset)}")
    return (number, " must be read beside the verdicts: ", *listed, ".")


def _anchor(dataset: DatasetFindings) -> str:
    return f"warnings-{safe_name(dataset.dataset)}"


def numbers_of(label: str, warnings: Sequence[StudyWarning]) -> list[str]:
    """The numbers of the warnings about one loss."""
    return [str(number) for number, warning in enumerate(warnings, 1) if label in warning.labels]


def note(warnings: Sequence[StudyWarning]) -> str:
    """All warnings as one short text, for a table that is read by itself."""
    if not warnings:
        return "Warnings: none."
    parts = [f"({number}) {warning.brief}" for number, warning in enumerate(warnings, 1)]
    return f"Warnings: {' '.join(parts)}"


def notes_below(dataset: DatasetFindings) -> tuple[str, ...]:
    """The last notes below a table for a paper: on formulas that were reconstructed, and all warnings of a dataset."""
    return (*([FOOTNOTE] if dataset.study.reconstructed else []), note(find(dataset).warnings))


SECTION = Section(
    name="warnings",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"warnings": facts.warnings, "correlations": facts.correlations},
)
