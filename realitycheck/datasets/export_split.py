"""Export a split to a CSV file that the dataset `csv` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from realitycheck.atomic import link_new
from realitycheck.datasets.members.csv import COLUMNS
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.errors import InputError, Problem, first_few

EXISTS = Problem(0, "", "the file exists already. Choose another name, or remove it.", "file-exists")


def export_split(dataset: FileDataset, *, trainval: Sequence[int], test: Sequence[int], path: Path) -> None:
    """Write one line per image (path, label, split), trainval first, classes in the given order.

    Args:
        dataset: dataset of image files.
        trainval: class indices of the trainval side.
        test: class indices of the test side, disjoint from `trainval`.
        path: path of the new file. It must be in the dataset's root or above, because paths in it are relative.

    Raises:
        InputError: if a class is unknown or duplicate, the file exists, or the images are not below its folder.
    """
    if problems := list(_problems(dataset, [*trainval, *test], path)):
        raise InputError(str(path), problems)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for classes, side in ((trainval, "trainval"), (test, "test")):
        writer.writerows((*row, side) for row in _rows(dataset, classes, path))
    if not link_new(path, text.getvalue().encode()):
        raise InputError(str(path), [EXISTS])


def _rows(dataset: FileDataset, classes: Sequence[int], path: Path) -> Iterator[tuple[str, str]]:
    above = dataset.root.resolve().relative_to(path.parent.resolve()).as_posix()
    for label in classes:
        for index in np.flatnonzero(dataset.labels == label):
            image = dataset.paths[index]
            yield (image if above == "." else f"{above}/{image}"), dataset.classes[label]


def _problems(dataset: FileDataset, classes: Sequence[int], path: Path) -> Iterator[Problem]:
    count = len(dataset.classes)
    if unknown := [str(label) for label in classes if not 0 <= label < count]:
        says = f"{first_few(unknown)} out of range: class indices must be between 0 and {count - 1}. Remove them."
        yield Problem(0, "classes", says, "class-index-range")
    if twice := sorted({str(label) for label in classes if list(classes).count(label) > 1}):
        yield Problem(0, "classes", f"duplicate classes: {first_few(twice)}. List each on one side.", "class-duplicate")
    if path.exists():
        yield EXISTS
    if not path.parent.is_dir() or not dataset.root.resolve().is_relative_to(path.parent.resolve()):
        says = f"not allowed here: the file must be in {dataset.root} or a folder above it. Choose another folder."
        yield Problem(0, "", says, "file-location")
