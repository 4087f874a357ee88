"""Anyone's images with anyone's split: a CSV file of paths, labels and sides."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Listing
from realitycheck.datasets.reading.text_lists import Row, read_text
from realitycheck.datasets.reading.wording import few
from realitycheck.errors import InputError, Problem

COLUMNS = ("path", "label", "split")

SIDES = {"train": False, "trainval": False, "test": True}
"""Word of the column `split` → whether the image is on the test side."""


class Csv(FileDataset):
    """Images listed in a CSV file (UTF-8, with a line of headings): columns `path`, `label` and, if wanted, `split`.

    Paths are relative to the CSV file's folder and lie in it. Labels are names; classes are sorted by name, by
    number where all labels are whole numbers. `split` says train or trainval, or test: whole classes, and every line
    or none. Other columns are not read.

    Args:
        root: the CSV file.

    Raises:
        InputError: the file or some lines are not so, images are missing, or a class is on both sides.
    """

    def __init__(self, *, root: str) -> None:
        path = Path(root)
        super().__init__(path.parent, _listing(path))


def _listing(path: Path) -> Listing:
    header, rows = _read(path)
    wanted = [header.index(name) for name in COLUMNS if name in header]
    _require(path, _incomplete(rows, wanted))
    cells = [tuple(row.cells[place].strip() for place in wanted) for row in rows]
    names = tuple(sorted({label for _, label, *_ in cells}, key=_order([label for _, label, *_ in cells])))
    place = {name: index for index, name in enumerate(names)}
    labels = tuple(place[label] for _, label, *_ in cells)
    return Listing(tuple(cell[0] for cell in cells), labels, names, in_test=_in_test(path, rows, cells), complete=())


def _read(path: Path) -> tuple[list[str], list[Row]]:
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        rows = [Row(reader.line_num, tuple(cells)) for cells in reader if any(cells)]
    except csv.Error as error:
        raise InputError(str(path), [Problem(0, "", f"must be CSV; got {error}. Mend it.")]) from error
    missing = [name for name in ("path", "label") if header.count(name) != 1]
    if missing or not rows:
        says = f"must begin with a line of headings, path and label among them; got '{','.join(header)}'. Add it."
        empty = "must list at least one image; it lists none. Add lines."
        raise InputError(str(path), [Problem(1, "", says if missing else empty)])
    return header, rows


def _incomplete(rows: Sequence[Row], wanted: Sequence[int]) -> list[Problem]:
    says = "must have a path, a label and, where it is a column, a split; something is missing. Fill it in."
    return [Problem(row.line, "", says) for row in rows if not all(_cell(row, place) for place in wanted)]


def _cell(row: Row, place: int) -> str:
    return row.cells[place].strip() if place < len(row.cells) else ""


def _require(path: Path, problems: Sequence[Problem]) -> None:
    if problems:
        raise InputError(str(path), few(problems))


def _order(labels: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    if all(label.isascii() and label.isdecimal() and len(label) < 19 for label in labels):
        return lambda label: (int(label), label)
    return lambda label: (0, label)


def _in_test(path: Path, rows: Sequence[Row], cells: Sequence[tuple[str, ...]]) -> tuple[bool, ...] | None:
    if len(cells[0]) < len(COLUMNS):
        return None
    says = "must be train, trainval or test; got '{}'. Mend the line."
    pairs = zip(rows, cells, strict=True)
    _require(path, [Problem(row.line, "split", says.format(cell[2])) for row, cell in pairs if cell[2] not in SIDES])
    return tuple(SIDES[cell[2]] for cell in cells)
