"""A judged paper as files: the page, its tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realitycheck.report.blocks import Block, Figure, Link, Paragraph
from realitycheck.report.papers.judged_answer import answers
from realitycheck.report.papers.judged_blocks import judged_blocks
from realitycheck.report.papers.judged_counts import MEASURED
from realitycheck.report.papers.judged_pairs import LEVEL, POWER, JudgedFamily, JudgedPair
from realitycheck.report.papers.judged_paper import JudgedPaper
from realitycheck.report.writers import html_page
from realitycheck.report.writers.csv_tables import csv_text
from realitycheck.report.writers.json_tables import json_of
from realitycheck.report.writers.markdown_text import markdown
from realitycheck.report.writers.text_files import write_texts

VERSION = 1
"""Raised by every change of the layout that a reader of `tables.json` must know of."""

DIGITS = 9
"""Decimals of `tables.json`, so that its bytes do not depend on the last bit of a sum."""

COLUMNS = (
    *("dataset", "category", "metric", "first", "second", "family", "runs"),
    *("first_mean", "first_half_width", "second_mean", "second_half_width", "difference", "low", "high"),
    *("degrees_of_freedom", "p", "p_holm", "detectable", "survives", "upper_bound"),
)
"""The columns of `tables.csv`, in percent and percentage points; `difference` is first minus second."""


def write_judged(judged: JudgedPaper, folder: Path) -> list[Path]:
    """Write the page, the tables and the figures; the same file of a paper gives the same bytes."""
    return write_texts(folder, judged_texts(judged))


def judged_texts(judged: JudgedPaper) -> dict[str, str]:
    """Every file by name."""
    blocks: list[Block] = list(judged_blocks(judged))
    figures = [block for block in blocks if isinstance(block, Figure)]
    title = f"{judged.short}, judged again"
    return {
        "tables.md": markdown(blocks),
        "tables.csv": csv_text([COLUMNS, *_lines(judged)]),
        "tables.json": _json(judged),
        **{f"figures/{figure.name}.svg": figure.svg for figure in figures},
        "index.html": html_page.page(title, blocks, [_footer(judged)]),
    }


def _footer(judged: JudgedPaper) -> Paragraph:
    return Paragraph(
        (
            f"Made by Reality Check from the means and half-widths in papers/{judged.name}.yaml. The same tables: ",
            *(Link("Markdown", "tables.md"), ", ", Link("CSV", "tables.csv"), ", ", Link("JSON", "tables.json"), "."),
        )
    )


def _lines(judged: JudgedPaper) -> Iterator[list[str]]:
    for family in judged.families:
        size = len(family.pairs)
        for pair in family.pairs:
            keys = [family.dataset, family.category.value, family.metric, pair.first, pair.second]
            yield [*keys, f"{size} with {family.reference}", str(family.n), *_cells(pair)]


def _cells(pair: JudgedPair) -> Iterator[str]:
    for mean, half in pair.printed:
        yield f"{mean:.2f}"
        yield "" if half is None else f"{half:.2f}"
    yield f"{100 * pair.difference:.2f}"
    tested = pair.tested
    if tested is None:
        yield from [""] * 6
    else:
        yield from (f"{100 * end:.4f}" for end in (tested.interval.low, tested.interval.high))
        yield from (f"{tested.freedom:.2f}", f"{tested.p:.4g}", f"{tested.p_holm:.4g}")
        yield f"{100 * tested.detectable:.4f}"
    yield "" if pair.survives is None else f"{100 * pair.survives:.4f}"
    yield "yes" if tested is None else "no"


def _json(judged: JudgedPaper) -> str:
    body = {
        "version": VERSION,
        "paper": judged.name,
        "reference": judged.paper.paper,
        "level": LEVEL,
        "power": POWER,
        "claim": None if judged.paper.judged.claim is None else judged.paper.judged.claim.model_dump(),
        "upper_bounds": not judged.tested,
        "measured_between_searches": {loss: luck for luck, loss in MEASURED.items()},
        "answers": answers(judged),
        "counts": [_count_keys(asdict(count)) for count in judged.counts.rows],
        "families": [_family_keys(family) for family in judged.families],
    }
    return json_of(_rounded(body))


def _count_keys(count: dict[str, Any]) -> dict[str, Any]:
    return {**count, "surviving": {f"{luck:g}": number for luck, number in count["surviving"].items()}}


def _family_keys(family: JudgedFamily) -> dict[str, Any]:
    return {**asdict(family), "category": family.category.value}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
