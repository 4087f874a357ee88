"""The Grocery Store Dataset: photos of 81 kinds of fruit, vegetables and packages, taken in shops."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, Listing
from realitycheck.datasets.reading.text_lists import (
    read_table,
    read_text,
    require_numbering,
    require_once,
    whole_numbers,
)
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem

LISTS = ("train", "val", "test")


class GroceryStore(FileDataset):
    """The Grocery Store Dataset (Klasson et al., 2019); label order is the class id of the fine-grained classes.

    Its own lists train, val and test hold the same classes: they are pooled, in this order, and no split is official.
    The paper counts 5,125 photos; the published lists hold 5,421.

    Args:
        root: the folder `dataset` of the repository. Its iconic images and descriptions are not read.

    Raises:
        InputError: lists or images are missing, extra or not as published.
    """

    credit = "Grocery Store Dataset: Klasson, Zhang and Kjellström, WACV 2019 (MIT licence)."
    counts: ClassVar[Counts | None] = Counts(classes=81, images=5_421, official=None)

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="classes.csv, train.txt, val.txt, test.txt, train/, val/ and test/")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> Listing:
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
    return Listing(tuple(paths), tuple(labels), classes, in_test=None, complete=LISTS)


def _require_known(path: Path, ids: list[int], *, classes: int) -> None:
    if unknown := sorted({each for each in ids if each >= classes}):
        says = (
            f"must be an id of classes.csv, 0 to {classes - 1}; got {some([str(each) for each in unknown])}. Mend it."
        )
        raise InputError(str(path), [Problem(0, "fine class id", says)])


def _classes(path: Path) -> tuple[str, ...]:
    """Names in the order of the ids; columns beyond the first two are not read."""
    rows = [row for row in csv.reader(io.StringIO(read_text(path))) if row][1:]
    bad = [row for row in rows if len(row) < 2 or not row[1].strip().isdecimal()]
    if bad or not rows:
        says = (
            "must list a class name and a class id, a whole number, per line; got another line. Get the official file."
        )
        raise InputError(str(path), [Problem(0, "", says)])
    ids = [int(row[1]) for row in rows]
    require_numbering(path, ids, first=0, name="class id")
    require_once(path, ids, name="class id")
    return tuple(name for _, name in sorted(zip(ids, (row[0].strip() for row in rows), strict=True)))
