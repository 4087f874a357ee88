"""`report --compare`: several studies, or a study and published tables, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from realitycheck.errors import InputError
from realitycheck.protocol.validation import nearest
from realitycheck.verbs.report import reported, study_evidence
from realitycheck.verbs.verify import verified_ledger
from realitycheck.verify.checks import Checks
from realitycheck.verify.compared_sides import ComparedSide, check_comparison, paper_side, study_sides
from realitycheck.verify.verification import Verified

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

    _require_sides(names)
    first, home = _findings(names[0])
    sides = sides_of_study(first)
    for name in names[1:]:
        sides += [_table_side(name, first)] if _is_table(name) else sides_of_study(_findings(name)[0])
    return write_sides(sides, folder=_folder(home, names))


def verify_comparison(names: Sequence[str]) -> Checks:
    """Verify the ledgers of the studies that `compare_studies` put on one page, and that page, by other code.

    Args:
        names: as `compare_studies` had them, in the same order.

    Raises:
        InputError: fewer than two names, an unknown table, a study without a ledger, or no such page.
    """
    _require_sides(names)
    checks = Checks()
    sides = verified_sides(names, checks)
    folder = _folder(Path(names[0]).absolute().parent.parent, names)
    if not folder.is_dir():
        says = f"there is no folder {folder}. `realitycheck report --compare` writes it."
        raise InputError.one(SOURCE, "report-missing", says, where=OPTION)
    check_comparison(folder, sides, checks)
    return checks


def verified_sides(names: Sequence[str], checks: Checks) -> list[ComparedSide]:
    """The sides as ledgers and papers lead to them; what does not hold in a ledger is added to `checks`."""
    first = verified_ledger(Path(names[0]), ask=False)
    checks.add(first.checks)
    sides = study_sides(first)
    for name in names[1:]:
        if _is_table(name):
            sides += _verified_table(name, first)
            continue
        other = verified_ledger(Path(name), ask=False)
        checks.add(other.checks)
        sides += study_sides(other)
    return sides


def _verified_table(name: str, first: Verified) -> list[ComparedSide]:
    """A published table as its file has it, in the primary column of the first study."""
    from realitycheck.report.papers.published_tables import FOLDER, paper_tables

    paper, dataset = name.split(TABLE, 1)
    if name not in paper_tables():
        raise _unknown_table(name, paper_tables())
    if first.study is None:
        return []
    study = first.study.study
    addresses = {loss["label"]: loss["address"] for loss in study["losses"]}
    held = yaml.safe_load((FOLDER / f"{paper}.yaml").read_text(encoding="utf-8"))
    side = paper_side(held, dataset, **study["primary"], addresses=addresses)
    return [side] if side else []


def _unknown_table(name: str, known: Sequence[str]) -> InputError:
    return InputError.one(SOURCE, "table-unknown", f"unknown table '{name}'. {nearest(name, known)}", where=OPTION)


def _folder(home: Path, names: Sequence[str]) -> Path:
    return home / "reports" / "-".join(["compare", *(Path(name).stem.replace(TABLE, "_") for name in names)])


def _require_sides(names: Sequence[str]) -> None:
    if len(names) < 2 or _is_table(names[0]):
        says = "two names are needed, of which the first is a study. Add a study file or `paper:dataset`."
        raise InputError.one(SOURCE, "sides-missing", says, where=OPTION)


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
        raise _unknown_table(name, paper_tables())
    addresses = {loss.label: loss.address for loss in study.losses}
    side = side_of_paper(table, category=study.category, metric=study.metric, addresses=addresses)
    if side is None:
        says = f"'{name}' has no {study.primary}, which is primary in {study.study}."
        raise InputError.one(SOURCE, "table-without-column", says, where=OPTION)
    return side
