"""Read text files that list images in lines with a fixed number of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from realitycheck.errors import InputError, Problem, first_few

SHOWN = 10
"""Lines of a file that are reported one by one."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line of a list: its 1-based number and its cells."""

    line: int
    cells: tuple[str, ...]


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, without a byte order mark.

    Raises:
        InputError: if the file is missing, irregular, or not UTF-8.
    """
    if not path.is_file():
        raise InputError.one(str(path), "list-missing", "no such file; extract the archive again.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        says = f"not UTF-8: {error.reason} at byte {error.start}. Save the file as UTF-8."
        raise InputError.one(str(path), "list-encoding", says) from error


def read_table(path: Path, *, columns: int, separator: str | None, skip: int) -> list[ListRow]:
    """Read the rows of a list; empty lines are skipped.

    Args:
        path: path of the list.
        columns: number of columns; the last one may contain separators.
        separator: separator of cells; None for any white space.
        skip: number of header lines.

    Raises:
        InputError: if the file cannot be read, or lines have missing or empty cells.
    """
    lines = list(enumerate(read_text(path).split("\n"), start=1))[skip:]
    rows = [ListRow(line, _cells(text, columns=columns, separator=separator)) for line, text in lines if text.strip()]
    says = f"missing cell: the line must have {columns} columns. Complete it."
    require_none(
        path,
        [Problem(row.line, "", says, "cell-missing") for row in rows if len(row.cells) < columns or "" in row.cells],
    )
    return rows


def require_none(path: Path, problems: Sequence[Problem]) -> None:
    """Raise an `InputError` if there are problems; it shows the first ten and the number of the others."""
    rest = len(problems) - SHOWN
    shown = list(problems[:SHOWN])
    if rest > 0:
        says = f"this line and {rest - 1:,} more have problems."
        shown.append(Problem(problems[SHOWN].line, "", says, "more-lines"))
    if shown:
        raise InputError(str(path), shown)


def _cells(text: str, *, columns: int, separator: str | None) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in text.split(separator, columns - 1))


def whole_numbers(path: Path, rows: Sequence[ListRow], *, column: int, name: str) -> list[int]:
    """Read one column as whole numbers.

    Args:
        path: path of the list, for the error.
        rows: rows of the list.
        column: 0-based index of the column.
        name: name of the column, for the error.

    Raises:
        InputError: if cells are not whole numbers.
    """
    says = "'{}' is not a whole number. Correct the line."
    require_none(
        path,
        [
            Problem(row.line, name, says.format(row.cells[column]), "number-invalid")
            for row in rows
            if not is_whole_number(row.cells[column])
        ],
    )
    return [int(row.cells[column]) for row in rows]


def is_whole_number(text: str) -> bool:
    """Return whether a text consists of ASCII digits only, at most 18 of them."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def require_numbering(path: Path, numbers: Sequence[int], *, first: int, name: str) -> None:
    """Require that the ids are `first`, `first` + 1, … without a gap; repetitions are allowed.

    Raises:
        InputError: if there are no ids, or if some are too low or missing.
    """
    low = sorted({number for number in numbers if number < first})
    if low or not numbers:
        smallest = first_few([str(number) for number in low])
        says = f"ids must start from {first}; got {smallest}. Get the official file."
        raise InputError.one(str(path), "id-range", says, where=name)
    if missing := _gaps(set(numbers), first=first):
        says = f"missing ids: {first_few(missing)}. Get the official file."
        raise InputError.one(str(path), "id-missing", says, where=name)


def _gaps(numbers: set[int], *, first: int) -> list[str]:
    """Return missing numbers, at most as many as there are numbers: an id of 10^18 must not fill the memory."""
    gaps = (str(number) for number in range(first, max(numbers)) if number not in numbers)
    return list(islice(gaps, len(numbers)))


def require_once(path: Path, numbers: Sequence[int], *, name: str) -> None:
    """Require that the ids are unique.

    Raises:
        InputError: if there are duplicates.
    """
    if twice := [str(number) for number, count in Counter(numbers).items() if count > 1]:
        says = f"duplicate ids: {first_few(twice)}. Get the official file."
        raise InputError.one(str(path), "id-duplicate", says, where=name)
