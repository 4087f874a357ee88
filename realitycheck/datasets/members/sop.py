"""Stanford Online Products: photos of 22,634 products sold on eBay."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, ImageList
from realitycheck.datasets.reading.text_lists import read_table, require_numbering, whole_numbers

SIDES = {"Ebay_train.txt": False, "Ebay_test.txt": True}
"""File → whether its classes are on the test side."""


class Sop(FileDataset):
    """Stanford Online Products (Song et al., 2016); classes are named by their class ids, in this order.

    The official split has 11,318 trainval and 11,316 test classes, one more trainval class than equal halves have.

    Args:
        root: the folder `Stanford_Online_Products`.

    Raises:
        InputError: if lists or images are missing, unexpected or not as published.
    """

    credit = "Stanford Online Products: Song, Xiang, Jegelka and Savarese, CVPR 2016."
    counts: ClassVar[Counts | None] = Counts(classes=22_634, images=120_053, official=(11_318, 11_316))

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="Ebay_train.txt, Ebay_test.txt and the folders of the photos")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> ImageList:
    paths: list[str] = []
    ids: list[int] = []
    in_test: list[bool] = []
    for name, test in SIDES.items():
        rows = read_table(root / name, columns=4, separator=None, skip=1)
        ids += whole_numbers(root / name, rows, column=1, name="class_id")
        paths += [row.cells[3] for row in rows]
        in_test += [test] * len(rows)
    require_numbering(root / "Ebay_*.txt", ids, first=1, name="class_id")
    classes = tuple(str(number) for number in range(1, max(ids) + 1))
    labels = tuple(class_id - 1 for class_id in ids)
    return ImageList(tuple(paths), labels, classes, in_test=tuple(in_test), complete=(".",))
