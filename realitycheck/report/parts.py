"""A report in parts: every section with its facts and blocks, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from realitycheck.report.blocks import Block, Figure
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.sections.base import Section


@dataclass(frozen=True, slots=True)
class ReportPart:
    """One section of one subject.

    Args:
        section: the section.
        subject: the whole study, or one dataset.
        facts: the facts; None where the section has nothing to say.
        blocks: the facts as blocks.
    """

    section: Section[Any, Any]
    subject: Findings | DatasetFindings
    facts: Any
    blocks: tuple[Block, ...]


def make_parts(findings: Findings, sections: Sequence[Section[Any, Any]]) -> list[ReportPart]:
    """Find the facts of every section, and turn them into blocks."""
    parts: list[ReportPart] = []
    for of_study, group in groupby(sections, key=lambda section: section.subject is Findings):
        together = list(group)
        for subject in (findings,) if of_study else findings.datasets:
            parts += [_part(section, subject) for section in together]
    return parts


def figures_of(parts: Sequence[ReportPart]) -> Iterator[Figure]:
    """The figures of all parts, in order."""
    return (block for part in parts for block in part.blocks if isinstance(block, Figure))


def _part(section: Section[Any, Any], subject: Findings | DatasetFindings) -> ReportPart:
    facts = section.find(subject)
    return ReportPart(section, subject, facts, () if facts is None else tuple(section.blocks(subject, facts)))
