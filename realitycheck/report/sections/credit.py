"""Where data and weights come from."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.report.blocks import Block, Heading, Paragraph
from realitycheck.report.findings import Findings
from realitycheck.report.sections.base import Section


def find(findings: Findings) -> tuple[str, ...] | None:
    """One sentence per source, or None without any."""
    return findings.credit or None


def blocks(findings: Findings, facts: tuple[str, ...]) -> Iterator[Block]:
    """Print every sentence as a paragraph."""
    yield Heading(2, "Data")
    yield from map(Paragraph, facts)


SECTION = Section(
    name="credit",
    subject=Findings,
    find=find,
    blocks=blocks,
)
