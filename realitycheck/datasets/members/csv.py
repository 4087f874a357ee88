"""Images and a split of your own, listed in a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import ImageList
from realitycheck.datasets.reading.text_lists import ListRow, is_whole_number, read_text, require_none
from realitycheck.errors import InputError, Problem

COLUMNS = ("path", "label", "split")

SIDES = {"train": False, "trainval": False, "test": True}
"""Value of the column `split` → whether the image is on the test side."""


class Csv(FileDataset):
    """Images listed in a CSV file (UTF-8, with a header): columns `path`, `label` and, optionally, `split`.

    Paths are below the CSV file's folder and relative to it. Classes are sorted by label, numerically if all labels
    are whole numbers. `split` is train, trainval or test on every line; a class must be on one side. Other columns
    are ignored.

    Args:
        root: path of the CSV file.

    Raises:
        InputError: if the file or lines of it are invalid, images are missing, or a class is on both sides.
    """

    def __init__(self, *, root: str) -> None:
        path = Path(root)
        super().__init__(path.parent, _listing(path))


def _listing(path: Path) -> ImageList:
    header, rows = _read(path)
    columns = [header.index(name) for name in COLUMNS if name in header]
    require_none(path, _incomplete(rows, columns))
    cells = [tuple(row.cells[column].strip() for column in columns) for row in rows]
    names = tuple(sorted({label for _, label, *_ in cells}, key=_order([label for _, label, *_ in cells])))
    index_of = {name: index for index, name in enumerate(names)}
    labels = tuple(index_of[label] for _, label, *_ in cells)
    in_test = _in_test(path, rows, cells)
    return ImageList(tuple(image for image, *_ in cells), labels, names, in_test=in_test, complete=())


def _read(path: Path) -> tuple[list[str], list[ListRow]]:
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        rows = [ListRow(reader.line_num, tuple(cells)) for cells in reader if any(cells)]
    except csv.Error as error:
        raise InputError.one(str(path), "csv-invalid", f"invalid CSV: {error}. Correct the file.") from error
    missing = [name for name in ("path", "label") if header.count(name) != 1]
    if missing:
        says = f"missing column `{missing[0]}` in the header '{','.join(header)}'; add it."
        raise InputError.one(str(path), "csv-header", says, line=1)
    if not rows:
        raise InputError.one(str(path), "csv-empty", "no images are listed; add lines.", line=1)
    return header, rows


def _incomplete(rows: Sequence[ListRow], columns: Sequence[int]) -> list[Problem]:
    says = "missing path, label or split; add it."
    return [
        Problem(row.line, "", says, "cell-missing") for row in rows if not all(_cell(row, column) for column in columns)
    ]


def _cell(row: ListRow, column: int) -> str:
    return row.cells[column].strip() if column < len(row.cells) else ""


def _order(labels: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    if all(is_whole_number(label) for label in labels):
        return lambda label: (int(label), label)
    return lambda label: (0, label)


def _in_test(path: Path, rows: Sequence[ListRow], cells: Sequence[tuple[str, ...]]) -> tuple[bool, ...] | None:
    if len(cells[0]) < len(COLUMNS):
        return None
    says = "unknown split '{}'. Use train, trainval or test."
    splits = [cell[2] for cell in cells]
    require_none(
        path,
        [
            Problem(row.line, "split", says.format(split), "split-unknown")
            for row, split in zip(rows, splits, strict=True)
            if split not in SIDES
        ],
    )
    return tuple(SIDES[split] for split in splits)
