"""CUB-200-2011: 200 species of birds."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, ImageList
from realitycheck.datasets.reading.text_lists import ListRow, read_table, require_numbering, require_once, whole_numbers
from realitycheck.errors import InputError, first_few


class Cub200(FileDataset):
    """Caltech-UCSD Birds-200-2011 (Wah et al., 2011) in the layout of `CUB_200_2011.tgz`; labels follow the class ids.

    Its own train/test list splits every class and is not used. Metric learning trains on the first 100 classes.

    Args:
        root: the folder `CUB_200_2011`.

    Raises:
        InputError: if lists or images are missing, unexpected or not as published.
    """

    credit = "CUB-200-2011: Wah, Branson, Welinder, Perona and Belongie, California Institute of Technology, 2011."
    counts: ClassVar[Counts | None] = Counts(classes=200, images=11_788, official=None)

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="images.txt, image_class_labels.txt, classes.txt and images/")
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> ImageList:
    classes = _by_id(root / "classes.txt")
    images = _by_id(root / "images.txt")
    labels = _labels(root / "image_class_labels.txt", images=len(images), classes=len(classes))
    paths = tuple(f"images/{row.cells[1]}" for row in images)
    return ImageList(paths, labels, tuple(row.cells[1] for row in classes), in_test=None, complete=("images",))


def _by_id(path: Path) -> list[ListRow]:
    """Read rows `id name`, sorted by an id that counts from 1."""
    rows = read_table(path, columns=2, separator=None, skip=0)
    ids = whole_numbers(path, rows, column=0, name="id")
    require_numbering(path, ids, first=1, name="id")
    require_once(path, ids, name="id")
    return [row for _, row in sorted(zip(ids, rows, strict=True), key=lambda pair: pair[0])]


def _labels(path: Path, *, images: int, classes: int) -> tuple[int, ...]:
    """Read the class index of every image, sorted by image id."""
    rows = _by_id(path)
    labels = whole_numbers(path, rows, column=1, name="class id")
    if len(rows) != images:
        says = (
            f"expected {images:,} lines, one for each line of images.txt, got {len(rows):,}. Extract the archive again."
        )
        raise InputError.one(str(path), "line-count", says)
    unknown = sorted({label for label in labels if not 1 <= label <= classes})
    if unknown:
        ids = first_few([str(label) for label in unknown])
        says = f"{ids} out of range: ids of classes.txt are between 1 and {classes}. Correct the list."
        raise InputError.one(str(path), "class-id-range", says, where="class id")
    return tuple(label - 1 for label in labels)
