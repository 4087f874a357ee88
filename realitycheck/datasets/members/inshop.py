"""DeepFashion In-Shop Clothes Retrieval: 7,982 items of clothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, ImageList
from realitycheck.datasets.reading.text_lists import ListRow, read_table, read_text, require_none
from realitycheck.errors import InputError, Problem

SIDES = {"train": False, "query": True, "gallery": True}
"""Evaluation status → whether the image is on the test side."""


class InShop(FileDataset):
    """In-Shop Clothes Retrieval (Liu et al., 2016); classes are the sorted item ids.

    The official split has 25,882 images of 3,997 items for training and 26,830 of 3,985 for the test. The test side
    pools query and gallery images: every test image is a query against all others.

    Args:
        root: a folder with `Eval/list_eval_partition.txt` and `Img/img/`.

    Raises:
        InputError: if lists or images are missing, unexpected or not as published.
    """

    credit = "In-Shop Clothes Retrieval (DeepFashion): Liu, Luo, Qiu, Wang and Tang, CVPR 2016."
    counts: ClassVar[Counts | None] = Counts(classes=7_982, images=52_712, official=(3_997, 3_985))

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="Eval/list_eval_partition.txt and Img/img/")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> ImageList:
    path = root / "Eval" / "list_eval_partition.txt"
    rows = _rows(path)
    classes = sorted({row.cells[1] for row in rows})
    index_of = {name: index for index, name in enumerate(classes)}
    labels = tuple(index_of[row.cells[1]] for row in rows)
    paths = tuple(f"Img/{row.cells[0]}" for row in rows)
    in_test = tuple(SIDES[row.cells[2]] for row in rows)
    return ImageList(paths, labels, tuple(classes), in_test=in_test, complete=("Img/img",))


def _rows(path: Path) -> Sequence[ListRow]:
    """Read the list, which begins with the number of its images and a header."""
    rows = read_table(path, columns=3, separator=None, skip=2)
    declared = read_text(path).split("\n")[0].strip()
    if declared != str(len(rows)):
        says = f"expected {len(rows):,}, the number of images below, got '{declared}'. Extract the archive again."
        raise InputError.one(str(path), "line-count", says, line=1)
    says = "unknown status '{}'. Use train, query or gallery."
    require_none(
        path,
        [
            Problem(row.line, "evaluation_status", says.format(row.cells[2]), "split-unknown")
            for row in rows
            if row.cells[2] not in SIDES
        ],
    )
    return rows
