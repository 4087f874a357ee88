"""The files of the study, as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from realitycheck.report.blocks import Block, Heading, Paragraph, Verbatim
from realitycheck.report.findings import Findings
from realitycheck.report.sections.base import Section


def find(findings: Findings) -> Mapping[str, str]:
    """The text of every file, by its name."""
    return findings.sources


def blocks(findings: Findings, facts: Mapping[str, str]) -> Iterator[Block]:
    """Print every file."""
    yield Heading(2, "Study files", anchor="study-files")
    yield Paragraph("The files that this study was run from, unchanged.")
    for name, text in facts.items():
        yield Heading(3, name)
        yield Verbatim(text)


SECTION = Section(
    name="sources",
    subject=Findings,
    find=find,
    blocks=blocks,
    file_text=True,
)
