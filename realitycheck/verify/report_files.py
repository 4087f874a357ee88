"""The files of a report, held to the numbers that the records lead to."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path

from realitycheck.verify.checks import Checks, shortened
from realitycheck.verify.counterparts import check_counterparts
from realitycheck.verify.derived_classes import class_table
from realitycheck.verify.derived_effects import check_shared
from realitycheck.verify.digests import Json
from realitycheck.verify.numbers_again import NumbersAgain
from realitycheck.verify.paper_texts import METHODS, REFERENCES, check_paper_texts
from realitycheck.verify.printed import WantedTable, latex_tables, markdown_tables, page_tables, plain
from realitycheck.verify.report_texts import OF_ANOTHER_KIND, read_texts
from realitycheck.verify.sentences import check_answers, check_declarations, check_repeated
from realitycheck.verify.shown_images import neighbor_table
from realitycheck.verify.table_check import check_tables
from realitycheck.verify.wanted_csv import csv_table, differences_csv, gains_csv, scores_csv, seeds_csv, settings_csv
from realitycheck.verify.wanted_evaluations import check_rises, evaluation_tables
from realitycheck.verify.wanted_scores import (
    difference_table,
    gain_table,
    pair_table,
    paper_differences,
    paper_tables,
    rank_table,
    score_tables,
)
from realitycheck.verify.wanted_searches import floor_table, search_tables, unequal_table, warning_table

CSV = {
    "tables.csv": scores_csv,
    "differences.csv": differences_csv,
    "untrained.csv": gains_csv,
    "seeds.csv": seeds_csv,
    "settings.csv": settings_csv,
}
"""Name of a file → what it has to hold."""

PAPER_TEXTS = (METHODS, REFERENCES)
"""Files that reports of earlier releases may lack."""

FILES = ("tables.json", *CSV, "tables.tex", "tables.md", "index.html")


def check_report(folder: Path, numbers: NumbersAgain, *, digest: str, checks: Checks) -> None:
    """Hold every file of a report to the numbers.

    Args:
        folder: of the report.
        numbers: what the records lead to.
        digest: SHA-256 over the bodies of all records.
        checks: the result.
    """
    texts = read_texts(folder, FILES, checks)
    for name in FILES:
        if name not in texts:
            checks.problem(str(folder / name), "report-incomplete", "the file is missing. `report` writes it.")
    flat = _flat(texts)
    reported = _check_json(texts.get("tables.json"), numbers, flat, checks)
    study, datasets = {**numbers.study_keys()}, _datasets(numbers, reported)
    _check_csv(texts, study, datasets, checks)
    if "tables.tex" in texts:
        papers = [table for data in datasets for table in gain_table(study, data, reasons=False)]
        papers += [table for data in datasets for table in paper_tables(study, data)]
        papers += [table for data in datasets for table in paper_differences(study, data)]
        check_tables(papers, latex_tables(texts["tables.tex"]), "tables.tex", checks)
    wanted = _wanted(study, datasets, reported, numbers)
    with_addresses = {**study, "addresses": {one["label"]: one["address"] for one in numbers.study.study["losses"]}}
    if "tables.md" in texts:
        printed = markdown_tables(texts["tables.md"])
        check_tables(wanted, printed, "tables.md", checks)
        check_counterparts(with_addresses, datasets, printed, "tables.md", checks)
    if "index.html" in texts:
        printed = page_tables(texts["index.html"])
        check_tables(wanted, printed, "index.html", checks)
        check_counterparts(with_addresses, datasets, printed, "index.html", checks)
        says = f"it does not name the digest of this ledger, {shortened(digest)}… It is a page of other records."
        page = texts["index.html"]
        checks.holds(digest in page, what="digest", where="index.html", code="page-of-other-records", says=says)
    extra = read_texts(folder, PAPER_TEXTS, checks)
    check_paper_texts(study, numbers.study.study["protocol"], datasets, extra, checks)
    check_declarations(study, datasets, flat, checks)
    check_rises(study, datasets, flat, checks)
    checks.skip("Figures, the texts around tables, and provenance.html.")


def _check_json(text: str | None, numbers: NumbersAgain, flat: dict[str, str], checks: Checks) -> Json | None:
    if text is None:
        return None
    try:
        reported: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        checks.problem("tables.json", "report-incomplete", f"it is no JSON: {error}. `report` writes it again.")
        return None
    try:
        _hold_json(reported, numbers, checks)
        check_repeated(reported, flat, checks)
    except OF_ANOTHER_KIND as error:
        says = f"a value is of another kind than `report` writes ({type(error).__name__}: {error})."
        checks.problem("tables.json", "report-incomplete", f"{says} `report` writes it again.")
        return None
    return reported


def _hold_json(reported: Json, numbers: NumbersAgain, checks: Checks) -> None:
    numbers.check_json(reported, checks)
    theirs = {one["dataset"]: one for one in reported["datasets"]}
    primary = numbers.study.study["primary"]
    column = (primary["category"], primary["metric"])
    for own in numbers.datasets:
        if own["dataset"] in theirs:
            other, where = theirs[own["dataset"]], f"tables.json, {own['dataset']}"
            check_answers(own, other, where, checks, primary=column)
            check_shared(own["shared_effects"], other.get("shared_effects"), where, checks)


def _datasets(numbers: NumbersAgain, reported: Json | None) -> list[Json]:
    """The numbers of every dataset; warnings that rest on notes are those of `tables.json`."""
    theirs = {one["dataset"]: one for one in reported["datasets"]} if reported else {}
    return [
        {**own, "warnings": theirs.get(own["dataset"], {}).get("warnings", own["warnings"])} for own in numbers.datasets
    ]


def _check_csv(texts: dict[str, str], study: Json, datasets: Sequence[Json], checks: Checks) -> None:
    if not datasets:
        return
    for name, make in CSV.items():
        if name in texts:
            check_tables([make(study, datasets)], [csv_table(texts[name])], name, checks)


def _wanted(study: Json, datasets: Sequence[Json], reported: Json | None, numbers: NumbersAgain) -> list[WantedTable]:
    """The tables of the page and of the Markdown file."""
    theirs = {one["dataset"]: one for one in reported["datasets"]} if reported else {}
    wanted = [table for data in datasets for table in warning_table(data)]
    for data, scores in zip(datasets, numbers.scores, strict=True):
        wanted += gain_table(study, data, reasons=True) + score_tables(study, data, method=scores.method)
        wanted += difference_table(study, data)
        ranks = theirs.get(data["dataset"], {}).get("ranks")
        wanted += rank_table(study, data, ranks) + pair_table({**study, "compare": numbers.compare}, ranks)
        wanted += class_table(data) + neighbor_table(data) + floor_table(study, data) + search_tables(study, data)
        wanted += evaluation_tables(study, data)
    return [*wanted, unequal_table(study, datasets)]


def _flat(texts: dict[str, str]) -> dict[str, str]:
    """The text of the page and of the Markdown file without markup and spaces."""
    flat = {}
    if "index.html" in texts:
        flat["index.html"] = plain(html.unescape(re.sub(r"<[^>]*>", "", texts["index.html"])))
    if "tables.md" in texts:
        flat["tables.md"] = plain(re.sub(r"\\(.)", r"\1", texts["tables.md"]))
    return flat
