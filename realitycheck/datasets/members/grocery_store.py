"""The Grocery Store Dataset: photos of 81 kinds of fruit, vegetables and packages, taken in shops."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, ImageList
from realitycheck.datasets.reading.text_lists import (
    read_table,
    read_text,
    require_numbering,
    require_once,
    whole_numbers,
)
from realitycheck.errors import InputError, first_few

LISTS = ("train", "val", "test")


class GroceryStore(FileDataset):
    """The Grocery Store Dataset (Klasson et al., 2019); labels are in the order of the fine-grained class ids.

    Its lists train, val and test hold the same classes. They are pooled in this order, and there is no official split.
    The paper counts 5,125 photos; the published lists hold 5,421.

    Args:
        root: the folder `dataset` of the repository. Its iconic images and descriptions are not read.

    Raises:
        InputError: if lists or images are missing, unexpected or not as published.
    """

    credit = "Grocery Store Dataset: Klasson, Zhang and Kjellström, WACV 2019 (MIT licence)."
    counts: ClassVar[Counts | None] = Counts(classes=81, images=5_421, official=None)

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="classes.csv, train.txt, val.txt, test.txt, train/, val/ and test/")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> ImageList:
    classes = _classes(root / "classes.csv")
    paths: list[str] = []
    labels: list[int] = []
    for name in LISTS:
        path = root / f"{name}.txt"
        rows = read_table(path, columns=3, separator=",", skip=0)
        fine = whole_numbers(path, rows, column=1, name="fine class id")
        _require_known(path, fine, classes=len(classes))
        labels += fine
        paths += [row.cells[0] for row in rows]
    return ImageList(tuple(paths), tuple(labels), classes, in_test=None, complete=LISTS)


def _require_known(path: Path, ids: list[int], *, classes: int) -> None:
    if unknown := sorted({class_id for class_id in ids if class_id >= classes}):
        out = first_few([str(class_id) for class_id in unknown])
        says = f"{out} out of range: ids of classes.csv are between 0 and {classes - 1}. Correct the list."
        raise InputError.one(str(path), "class-id-range", says, where="fine class id")


def _classes(path: Path) -> tuple[str, ...]:
    """Read class names in the order of the ids; columns after the first two are ignored."""
    rows = [row for row in csv.reader(io.StringIO(read_text(path))) if row][1:]
    bad = [row for row in rows if len(row) < 2 or not row[1].strip().isdecimal()]
    if bad or not rows:
        says = "missing class name or numeric class id on a line. Get the official file."
        raise InputError.one(str(path), "cell-missing", says)
    ids = [int(row[1]) for row in rows]
    require_numbering(path, ids, first=0, name="class id")
    require_once(path, ids, name="class id")
    return tuple(name for _, name in sorted(zip(ids, (row[0].strip() for row in rows), strict=True)))
