"""What was not equal between losses: batches, distances, and the number of searched knobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realitycheck.report.blocks import Block, Column, Content, Heading, Link, Marked, Paragraph, Table, rows_of
from realitycheck.report.findings import Findings
from realitycheck.report.sections import search_results
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.search_results import SearchSummary, bounds_reached
from realitycheck.report.study_facts import LossFacts
from realitycheck.report.wording import DASH, count


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was not equal for one loss."""

    label: str
    distance: str
    classes: int
    per_class: int


@dataclass(frozen=True, slots=True)
class Unequal:
    """The treatments of all losses, in the study's order."""

    treatments: tuple[Treatment, ...]


def find(findings: Findings) -> Unequal:
    """Every report has this section."""
    return Unequal(tuple(treatment(loss) for loss in findings.study.losses))


def treatment(loss: LossFacts) -> Treatment:
    """Batch shape and distance of one loss."""
    return Treatment(loss.label, loss.distance, loss.classes, loss.per_class)


def blocks(findings: Findings, facts: Unequal) -> Iterator[Block]:
    """Print the table of differences by design, and those that other tables show."""
    yield Heading(2, "What was not equal")
    yield Paragraph(
        "Losses of equal batch shape had the same batches, augmentation and initial weights. These differed by design:"
    )
    several = len(findings.datasets) > 1
    suffixes = [f", {dataset.dataset}" if several else "" for dataset in findings.datasets]
    searches = [search_results.find(dataset).searches for dataset in findings.datasets]
    pairs = (
        (Column(f"Hyper-parameters searched{suffix}", number=True), Column(f"At a bound{suffix}"))
        for suffix in suffixes
    )
    yield Table(
        (Column("Loss"), Column("Batch"), Column("Distance"), *(column for pair in pairs for column in pair)),
        rows_of([_line(findings, loss, searches) for loss in facts.treatments]),
    )
    yield Paragraph(
        (
            "The width of the search space also differed; see the ranges in the table of chosen settings. So did wall "
            "time, which depends on the machine; see the ",
            Link("provenance", "provenance.html"),
            ".",
        )
    )


def _line(findings: Findings, loss: Treatment, searches: Sequence[Sequence[SearchSummary]]) -> tuple[Content, ...]:
    cells: list[Content] = []
    for summaries in searches:
        own = [search for search in summaries if search.label == loss.label]
        cells.append(str(own[0].searched) if own else DASH)
        cells.append(", ".join(bounds_reached(own)) or DASH)
    return (
        Marked(loss.label, findings.study.loss_marks(loss.label)),
        f"{count(loss.classes, 'class', 'classes')} × {count(loss.per_class, 'image')}",
        loss.distance,
        *cells,
    )


SECTION = Section(
    name="unequal",
    subject=Findings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"treatments": facts.treatments},
)
