"""A split, written down: the CSV file that the dataset `csv` reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from realitycheck.datasets.members.csv import COLUMNS
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem


def export_split(dataset: FileDataset, *, trainval: Sequence[int], test: Sequence[int], path: Path) -> None:
    """Write one line per image of the classes given: path, label, split; trainval first, classes in the order given.

    Args:
        dataset: of image files.
        trainval: class indices of one side.
        test: class indices of the other; none may be in both.
        path: of the new file. Paths in it are relative to its folder, so that this must hold the images.

    Raises:
        InputError: a class is unknown or given twice, the file exists, or its folder does not hold the images.
    """
    if problems := list(_problems(dataset, [*trainval, *test], path)):
        raise InputError(str(path), problems)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for classes, side in ((trainval, "trainval"), (test, "test")):
            writer.writerows((*row, side) for row in _rows(dataset, classes, path))
    partial.rename(path)  # a file that was cut short must not pass for a split


def _rows(dataset: FileDataset, classes: Sequence[int], path: Path) -> Iterator[tuple[str, str]]:
    above = dataset.root.resolve().relative_to(path.parent.resolve()).as_posix()
    for label in classes:
        for index in np.flatnonzero(dataset.labels == label):
            image = dataset.paths[index]
            yield (image if above == "." else f"{above}/{image}"), dataset.classes[label]


def _problems(dataset: FileDataset, classes: Sequence[int], path: Path) -> Iterator[Problem]:
    if unknown := [str(each) for each in classes if not 0 <= each < len(dataset.classes)]:
        says = f"must be class indices below {len(dataset.classes)}; got {some(unknown)}. Leave them out."
        yield Problem(0, "classes", says)
    if twice := sorted({str(each) for each in classes if list(classes).count(each) > 1}):
        yield Problem(0, "classes", f"must be given once; {some(twice)} are given again. Leave them on one side.")
    if path.exists():
        yield Problem(0, "", "must not exist yet; it does. Choose another name, or remove it.")
    if not path.parent.is_dir() or not dataset.root.resolve().is_relative_to(path.parent.resolve()):
        yield Problem(0, "", f"must be in {dataset.root} or a folder above it; it is not. Choose another place.")
