"""The text files in which datasets list their images: lines of a fixed number of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from realitycheck.datasets.reading.wording import few, some
from realitycheck.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: its number, from 1, and its cells."""

    line: int
    cells: tuple[str, ...]


def read_text(path: Path) -> str:
    """The text of a list in UTF-8, without a byte order mark.

    Raises:
        InputError: the file is not there, is no regular file, or is no UTF-8.
    """
    if not path.is_file():
        raise InputError(
            str(path), [Problem(0, "", "must be there; there is no such file. Extract the archive again.")]
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        says = f"must be text in UTF-8; got {error.reason} at byte {error.start}. Save it as UTF-8."
        raise InputError(str(path), [Problem(0, "", says)]) from error


def read_table(path: Path, *, columns: int, separator: str | None, skip: int) -> list[Row]:
    """The rows of a list; empty lines are passed over.

    Args:
        path: of the list.
        columns: of every row; the last one may hold separators.
        separator: between cells; None for any white space.
        skip: lines of heading before the first row.

    Raises:
        InputError: the file cannot be read, or some lines have too few columns or an empty one.
    """
    lines = list(enumerate(read_text(path).split("\n"), start=1))[skip:]
    rows = [Row(line, _cells(text, columns=columns, separator=separator)) for line, text in lines if text.strip()]
    says = f"must have {columns} columns; got fewer. Mend the line."
    bad = [Problem(row.line, "", says) for row in rows if len(row.cells) < columns or "" in row.cells]
    if bad:
        raise InputError(str(path), few(bad))
    return rows


def _cells(text: str, *, columns: int, separator: str | None) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in text.split(separator, columns - 1))


def whole_numbers(path: Path, rows: Sequence[Row], *, column: int, name: str) -> list[int]:
    """One column as numbers.

    Args:
        path: of the list, for the error.
        rows: of the list.
        column: place of the column, from 0.
        name: of the column, for the error.

    Raises:
        InputError: some cells are no whole numbers.
    """
    says = "must be a whole number; got '{}'. Mend the line."
    bad = [Problem(row.line, name, says.format(row.cells[column])) for row in rows if not _whole(row.cells[column])]
    if bad:
        raise InputError(str(path), few(bad))
    return [int(row.cells[column]) for row in rows]


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def require_numbering(path: Path, numbers: Sequence[int], *, first: int, name: str) -> None:
    """Ids must be `first`, `first` + 1, … without a gap, each of them once at least.

    Raises:
        InputError: there are none, some are too low, or some are missing; it names them.
    """
    low = sorted({number for number in numbers if number < first})
    if low or not numbers:
        says = f"must number from {first}; got {some([str(each) for each in low]) or 'none'}. Get the official file."
        raise InputError(str(path), [Problem(0, name, says)])
    if missing := _gaps(set(numbers), first=first):
        says = f"must number from {first} without a gap; missing {some(missing)}. Get the official file."
        raise InputError(str(path), [Problem(0, name, says)])


def _gaps(numbers: set[int], *, first: int) -> list[str]:
    """Not all, if there are more than numbers: an id of 10^18 must not make a list of as many."""
    gaps = (str(number) for number in range(first, max(numbers)) if number not in numbers)
    return list(islice(gaps, len(numbers)))


def require_once(path: Path, numbers: Sequence[int], *, name: str) -> None:
    """Ids must be there once.

    Raises:
        InputError: some are there again; it names them.
    """
    if twice := [str(number) for number, count in Counter(numbers).items() if count > 1]:
        says = f"must be listed once; {some(twice)} is listed again. Get the official file."
        raise InputError(str(path), [Problem(0, name, says)])
