"""The report as files: one offline page, its tables and figures, and its provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.report.blocks import Block, Code, Figure, LatexTable, Link, Paragraph
from realitycheck.report.drawn_apart import drawing
from realitycheck.report.findings import Findings, find_all
from realitycheck.report.menu import SECTIONS
from realitycheck.report.parts import ReportPart, figures_of, make_parts
from realitycheck.report.provenance import provenance_blocks
from realitycheck.report.side_by_side import Side, side_blocks, side_facts
from realitycheck.report.writers import html_page
from realitycheck.report.writers.bibliography import references
from realitycheck.report.writers.csv_details import seeds_csv, settings_csv
from realitycheck.report.writers.csv_tables import differences_csv, gains_csv, scores_csv
from realitycheck.report.writers.json_tables import json_of, json_text
from realitycheck.report.writers.latex_table import latex_text
from realitycheck.report.writers.markdown_text import markdown
from realitycheck.report.writers.methods_text import methods_text
from realitycheck.report.writers.text_files import write_texts
from realitycheck.runs import RESULTS_VERSION


def write_report(
    study: Study,
    evidence: Sequence[DatasetEvidence],
    *,
    sources: Mapping[str, str],
    credit: Sequence[str],
    ledger_digest: str,
    attempts: Sequence[Mapping[str, Any]],
    folder: Path,
) -> list[Path]:
    """Write the whole report, finished study or not, and return its files in the order written.

    The same evidence gives the same bytes, `provenance.html` apart, which alone holds times and hosts.

    Args:
        study: the study.
        evidence: what the records say, one per dataset.
        sources: file name → text of the study's file, the protocol's and further ones, shown as they are.
        credit: one sentence per source of data or weights.
        ledger_digest: SHA-256 over the bodies of all records.
        attempts: times, hosts, failures and alarms, one flat mapping each; may be empty.
        folder: where to write; made if missing, and files of the same names replaced.
    """
    findings = find_all(study, evidence, sources=sources, credit=credit)
    parts = make_parts(findings, SECTIONS)
    with drawing(list(figures_of(parts))):
        tables = table_texts(findings, parts)
        provenance = provenance_text(findings, attempts=attempts, ledger_digest=ledger_digest)
    texts = {
        **tables,
        **{f"figures/{figure.name}.svg": figure.svg for figure in figures_of(parts)},
        "index.html": page_text(findings, parts, ledger_digest=ledger_digest),
        "provenance.html": provenance,
    }
    return write_texts(folder, texts)


def write_sides(sides: Sequence[Side], *, folder: Path) -> list[Path]:
    """Write several studies side by side, and return the files in the order written.

    Args:
        sides: two or more.
        folder: where to write; made if missing, and files of the same names replaced.
    """
    blocks = list(side_blocks(sides))
    figures = [block for block in blocks if isinstance(block, Figure)]
    texts = {
        "tables.md": markdown(blocks),
        "tables.json": json_of(side_facts(sides)),
        **{f"figures/{figure.name}.svg": figure.svg for figure in figures},
        "index.html": html_page.page(" and ".join(side.title for side in sides), blocks, ()),
    }
    return write_texts(folder, texts)


def table_texts(findings: Findings, parts: Sequence[ReportPart]) -> dict[str, str]:
    """The tables in every format, by file name."""
    return {
        "tables.md": markdown(block for part in parts if not part.section.file_text for block in part.blocks),
        "tables.csv": scores_csv(findings),
        "differences.csv": differences_csv(findings),
        "untrained.csv": gains_csv(findings),
        "tables.json": json_text(findings, parts),
        "seeds.csv": seeds_csv(findings),
        "settings.csv": settings_csv(findings),
        "tables.tex": latex_text(table for part in parts for table in _latex_tables(part)),
        "methods.tex": methods_text(findings),
        "references.bib": references(findings),
    }


def page_text(findings: Findings, parts: Sequence[ReportPart], *, ledger_digest: str) -> str:
    """The page as one HTML text."""
    return html_page.page(
        findings.study.question, (block for part in parts for block in part.blocks), _footer(ledger_digest)
    )


def provenance_text(findings: Findings, *, attempts: Sequence[Mapping[str, Any]], ledger_digest: str) -> str:
    """The page of times, machines and failures as one HTML text."""
    blocks = provenance_blocks(findings, attempts)
    footer = Paragraph(("Ledger SHA-256 ", Code(ledger_digest), "."))
    return html_page.page(f"Provenance of {findings.study.study}", blocks, [footer])


def _latex_tables(part: ReportPart) -> Iterable[LatexTable]:
    latex = part.section.latex
    return latex(part.subject, part.facts) if latex and part.facts is not None else ()


def _footer(ledger_digest: str) -> list[Block]:
    return [
        Paragraph(
            (
                f"Made by Reality Check, results version {RESULTS_VERSION}, from the ledger with SHA-256 ",
                *(Code(ledger_digest), ". The same tables: ", Link("Markdown", "tables.md"), ", CSV of the "),
                *(Link("scores", "tables.csv"), ", the ", Link("differences", "differences.csv"), ", the "),
                *(Link("differences from untrained models", "untrained.csv"), ", "),
                *(Link("every seed", "seeds.csv"), " and the ", Link("chosen settings", "settings.csv"), ", "),
                *(Link("JSON", "tables.json"), ", ", Link("LaTeX", "tables.tex"), ". For a paper: "),
                *(Link("methods", "methods.tex"), " and ", Link("references", "references.bib")),
                *(". Wall time, machines and failed attempts: ", Link("provenance", "provenance.html")),
                *(
                    ". In the documentation of Reality Check, ",
                    Code("docs/reading_a_report.md"),
                    " explains this page, ",
                ),
                *(Code("docs/statistics.md"), " its rules and ", Code("docs/losses.md"), " the losses."),
            )
        )
    ]
