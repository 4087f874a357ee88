"""Hold printed tables to those that the records lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from realitycheck.verify.checks import Checks, few
from realitycheck.verify.printed import BOLD, Cell, PrintedTable, WantedTable, plain

Row = list[str]


def check_tables(wanted: Sequence[WantedTable], printed: Sequence[PrintedTable], file: str, checks: Checks) -> None:
    """Match tables by their heads, in order, and compare their rows; further columns are not looked at.

    Args:
        wanted: what the records lead to; each must be there.
        printed: the tables of the file.
        file: its name.
        checks: the result.
    """
    left = list(printed)
    for table in wanted:
        heads = [plain(head) for head in table.heads]
        match = next((one for one in left if one.heads[:1] == heads[:1] and set(heads) <= set(one.heads)), None)
        if match is None:
            checks.problem(
                f"{file}, {table.name}", "cell-differs", f"there is no table with the heads {few(table.heads)}."
            )
            continue
        left.remove(match)
        _check_rows(table, match, heads, f"{file}, {table.name}", checks)
        more = [head for head in match.heads if head not in heads]
        if more:
            checks.skip(f"{file}, {table.name}: the columns {few(more)}.")
    if left:
        checks.skip(f"{file}: {len(left)} tables that hold no number of the records, or that no rule is for.")


def _check_rows(table: WantedTable, printed: PrintedTable, heads: Row, where: str, checks: Checks) -> None:
    """Rows are matched by their first cells, whatever their order."""
    places = _places(heads, printed.heads)
    rows = [[row[place] if place < len(row) else "" for place in places] for row in printed.rows]
    for row in rows:
        row[0] = row[0].removeprefix(BOLD)
    counts = Counter(tuple(row[: table.keys]) for row in rows)
    checks.holds(
        len(rows) == len(table.rows),
        what=f"rows of {where.split(',')[0]}",
        where=where,
        code="cell-differs",
        says=f"it has {len(rows)} rows, and the records lead to {len(table.rows)}.",
    )
    for cells in table.rows:
        name = " ".join(options[0] for options in cells[: table.keys])
        own = next(
            (row for row in rows if all(one in options for one, options in _keyed(row, cells, table.keys))), None
        )
        if own is None or counts[tuple(own[: table.keys])] > 1:
            checks.problem(where, "cell-differs", f"there is no row {name}, or two.")
            continue
        for head, text, options in zip(table.heads, own, cells, strict=True):
            _check_cell(text, options, head, f"{where}, {name}", checks)


def _places(heads: Row, there: Row) -> list[int]:
    """The column of each head; the second column of a head follows the first one."""
    left = list(enumerate(there))
    places = []
    for head in heads:
        place = next((place for place, name in left if name == head), there.index(head))
        left = [pair for pair in left if pair[0] != place]
        places.append(place)
    return places


def _keyed(row: Row, cells: Sequence[Cell], keys: int) -> list[tuple[str, Cell]]:
    return list(zip(row[:keys], cells[:keys], strict=True))


def _check_cell(text: str, options: Cell, head: str, where: str, checks: Checks) -> None:
    checks.holds(
        text in options,
        what=f"cells of {where.split(',')[0]}",
        where=f"{where}, {head}",
        code="cell-differs",
        says=f"it is {text or 'empty'}, and the records lead to {options[0] or 'an empty cell'}.",
    )
