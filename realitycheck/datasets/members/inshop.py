"""In-Shop Clothes Retrieval of DeepFashion: 7,982 items of clothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, Listing
from realitycheck.datasets.reading.text_lists import Row, read_table, read_text
from realitycheck.datasets.reading.wording import few
from realitycheck.errors import InputError, Problem

SIDES = {"train": False, "query": True, "gallery": True}
"""Evaluation status → whether the image is on the test side."""


class InShop(FileDataset):
    """In-Shop Clothes Retrieval (Liu et al., 2016); classes are item ids, sorted.

    The official split is 25,882 images of 3,997 items against 26,830 of 3,985. Query and gallery images together are
    the test side: scores here let every test image search among all others.

    Args:
        root: a folder with `Eval/list_eval_partition.txt` and `Img/img/`.

    Raises:
        InputError: lists or images are missing, extra or not as published.
    """

    credit = "In-Shop Clothes Retrieval (DeepFashion): Liu, Luo, Qiu, Wang and Tang, CVPR 2016."
    counts: ClassVar[Counts | None] = Counts(classes=7_982, images=52_712, official=(3_997, 3_985))

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="Eval/list_eval_partition.txt and Img/img/")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> Listing:
    path = root / "Eval" / "list_eval_partition.txt"
    rows = _rows(path)
    classes = sorted({row.cells[1] for row in rows})
    place = {name: index for index, name in enumerate(classes)}
    labels = tuple(place[row.cells[1]] for row in rows)
    paths = tuple(f"Img/{row.cells[0]}" for row in rows)
    in_test = tuple(SIDES[row.cells[2]] for row in rows)
    return Listing(paths, labels, tuple(classes), in_test=in_test, complete=("Img/img",))


def _rows(path: Path) -> Sequence[Row]:
    """The list begins with how many images it holds, and a line of headings."""
    rows = read_table(path, columns=3, separator=None, skip=2)
    declared = read_text(path).split("\n")[0].strip()
    if declared != str(len(rows)):
        says = f"must be the number of images below, {len(rows):,}; got '{declared}'. Extract the archive again."
        raise InputError(str(path), [Problem(1, "", says)])
    says = "must be train, query or gallery; got '{}'. Mend the line."
    bad = [
        Problem(row.line, "evaluation_status", says.format(row.cells[2])) for row in rows if row.cells[2] not in SIDES
    ]
    if bad:
        raise InputError(str(path), few(bad))
    return rows
