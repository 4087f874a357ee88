"""The report as files: one offline page, its tables and figures, and where they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.report import words
from realitycheck.report.columns import primary_name
from realitycheck.report.durations import KINDS, durations
from realitycheck.report.figures import differences_figure, noise_figure, scores_figure
from realitycheck.report.latex import latex
from realitycheck.report.markdown import markdown
from realitycheck.report.progress import curves_figure, search_figure
from realitycheck.report.published.beside import Beside, beside
from realitycheck.report.published.markdown import published_markdown
from realitycheck.report.spreadsheets import differences_csv, scores_csv
from realitycheck.report.summary import DatasetSummary, Summary, summarize
from realitycheck.report.tables import json_text
from realitycheck.report.templates import template
from realitycheck.runs import METRICS, RESULTS_VERSION

FIRST_COLUMNS = ("time", "kind", "title", "id", "host", "device", "seconds", "attempt", "reason")
"""Of the provenance table, where attempts have them; the other keys follow by name."""


@dataclass(frozen=True, slots=True)
class Section:
    """One dataset on the page: what was found, its figures as SVG documents by kind, and what others published."""

    found: DatasetSummary
    figures: Mapping[str, str]
    published: Beside | None


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

    The same evidence gives the same bytes, `provenance.html` apart: only that one tells of times and hosts.

    Args:
        study: the promise.
        evidence: what the records say, one per dataset.
        sources: file name → text of the study's file, the protocol's and further ones, shown as they are.
        credit: one sentence per source of data or weights.
        ledger_digest: SHA-256 over the bodies of all records.
        attempts: times, hosts, failures and alarms, one flat mapping each; may be empty.
        folder: where to write; made if missing, and files of the same names replaced.
    """
    summary = summarize(study, evidence)
    sections = [
        draw_section(summary, each, found, published=beside(study, found.dataset, found.rows))
        for each, found in zip(evidence, summary.datasets, strict=True)
    ]
    published = {each.found.dataset: each.published for each in sections if each.published}
    texts = {
        "index.html": render_page(summary, sections, sources=sources, credit=credit, ledger_digest=ledger_digest),
        "tables.md": markdown(summary),
        "tables.csv": scores_csv(summary),
        "differences.csv": differences_csv(summary),
        "tables.json": json_text(summary),
        "tables.tex": latex(summary),
        **({"published.md": published_markdown(summary, published)} if published else {}),
        **{f"figures/{file_name(each, kind)}.svg": svg for each in sections for kind, svg in each.figures.items()},
        "provenance.html": render_provenance(summary, evidence, attempts=attempts, ledger_digest=ledger_digest),
    }
    return [_write(folder / name, text) for name, text in texts.items()]


def draw_section(
    summary: Summary, evidence: DatasetEvidence, found: DatasetSummary, *, published: Beside | None
) -> Section:
    """The figures of one dataset; those that would be empty are left out."""
    name = _plain(found.dataset)
    floor = found.noise.floor(summary.category, summary.metric) if found.noise else None
    figures = {}
    if any(cell.n for row in found.rows for cell in row.cells):
        figures["scores"] = scores_figure(summary, found, name=f"scores-{name}")
    if any(each.mean is not None for each in found.comparisons):
        figures["differences"] = differences_figure(summary, found, name=f"differences-{name}")
    if floor:
        figures["noise"] = noise_figure(summary, found, floor, name=f"noise-{name}")
    if any(loss.trials for loss in evidence.losses):
        figures["search"] = search_figure(summary, evidence, name=f"search-{name}")
    if any(run for loss in evidence.losses for each in loss.replicates for run in each.fold_runs):
        figures["curves"] = curves_figure(summary, evidence, name=f"curves-{name}")
    return Section(found=found, figures=figures, published=published)


def file_name(section: Section, kind: str) -> str:
    """`scores-cub200`: harmless in any folder, whatever the dataset is called."""
    return f"{kind}-{_plain(section.found.dataset)}"


def render_page(
    summary: Summary,
    sections: Sequence[Section],
    *,
    sources: Mapping[str, str],
    credit: Sequence[str],
    ledger_digest: str,
) -> str:
    """The page as one HTML text without scripts or remote parts; text from outside is escaped."""
    return template("page.html.j2").render(
        summary=summary,
        sections=sections,
        sources=sources,
        forewords=[foreword(text) for text in sources.values()],
        credit=credit,
        ledger_digest=ledger_digest,
        results_version=RESULTS_VERSION,
        metrics=[words.METRIC_NAMES[metric] for metric in METRICS],
        primary=primary_name(summary),
    )


def render_provenance(
    summary: Summary,
    evidence: Sequence[DatasetEvidence],
    *,
    attempts: Sequence[Mapping[str, Any]],
    ledger_digest: str,
) -> str:
    """The page of what may differ from one making of the same results to the next."""
    keys = {key for attempt in attempts for key in attempt}
    return template("provenance.html.j2").render(
        summary=summary,
        kinds=KINDS,
        durations=durations(evidence, attempts),
        attempts=attempts,
        columns=[key for key in FIRST_COLUMNS if key in keys] + sorted(keys - set(FIRST_COLUMNS)),
        ledger_digest=ledger_digest,
    )


def foreword(text: str) -> list[str]:
    """The paragraphs of the comment that a file begins with."""
    comment = [line.lstrip("#").strip() for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    blocks = "\n".join(comment).split("\n\n")
    return [" ".join(block.split()) for block in blocks if block.strip()]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()) or "dataset"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
