"""`report --compare`: several studies, or a study and published tables, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from realitycheck.errors import InputError
from realitycheck.protocol.validation import nearest
from realitycheck.verbs.report import reported, study_evidence

if TYPE_CHECKING:
    from realitycheck.report.findings import Findings
    from realitycheck.report.side_by_side import Side

SOURCE, OPTION = "the command line", "--compare"
TABLE = ":"
"""Between a paper and a dataset in the name of a published table: `warped2024:cub200`."""


def compare_studies(names: Sequence[str]) -> list[Path]:
    """Write one page with several sides: `index.html`, `tables.md`, `tables.json` and the figure; their paths.

    Args:
        names: study files, and published tables as `paper:dataset`; at least two, the first one a study.

    Raises:
        InputError: fewer than two names, an unknown table, or a study that cannot be reported.
        LedgerError: a ledger is damaged.
    """
    from realitycheck.report.page import write_sides  # seconds, that `status` need not wait
    from realitycheck.report.side_by_side import sides_of_study

    if len(names) < 2 or _is_table(names[0]):
        says = "two names are needed, of which the first is a study. Add a study file or `paper:dataset`."
        raise InputError.one(SOURCE, "sides-missing", says, where=OPTION)
    first, home = _findings(names[0])
    sides = sides_of_study(first)
    for name in names[1:]:
        sides += [_table_side(name, first)] if _is_table(name) else sides_of_study(_findings(name)[0])
    folder = home / "reports" / "-".join(["compare", *(Path(name).stem.replace(TABLE, "_") for name in names)])
    return write_sides(sides, folder=folder)


def _is_table(name: str) -> bool:
    return TABLE in name and not Path(name).exists()


def _findings(name: str) -> tuple[Findings, Path]:
    """The findings of a study, and its home."""
    from realitycheck.report.findings import find_all

    read, ledger = reported(name)
    return find_all(read.study, study_evidence(read, ledger), sources={}, credit=()), read.home


def _table_side(name: str, first: Findings) -> Side:
    """A published table in the primary column of the first study."""
    from realitycheck.report.papers.published_tables import paper_table, paper_tables
    from realitycheck.report.side_by_side import side_of_paper

    paper, dataset = name.split(TABLE, 1)
    study = first.study
    table = paper_table(paper, dataset)
    if table is None:
        says = f"unknown table '{name}'. {nearest(name, paper_tables())}"
        raise InputError.one(SOURCE, "table-unknown", says, where=OPTION)
    addresses = {loss.label: loss.address for loss in study.losses}
    side = side_of_paper(table, category=study.category, metric=study.metric, addresses=addresses)
    if side is None:
        says = f"'{name}' has no {study.primary}, which is primary in {study.study}."
        raise InputError.one(SOURCE, "table-without-column", says, where=OPTION)
    return side
