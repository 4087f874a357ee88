"""Anyone's images: one folder a class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Listing, repeated
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem


class Folder(FileDataset):
    """A folder with one sub-folder of images per class. Names that begin with a dot are passed over.

    Images of 16-bit greys or of floats are refused: their range is for their owner to map to 8 bits.

    Args:
        root: the folder.

    Raises:
        InputError: it is not a folder, a class is empty or holds a folder, or a name of an image is a link that leads
            out or no file at all; all such are named.
    """

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="one sub-folder of images per class")
        super().__init__(folder, class_folders(folder, skip=frozenset()))


def class_folders(root: Path, *, skip: frozenset[str]) -> Listing:
    """The images of a folder with one sub-folder per class; classes sorted, files of a class by name.

    Args:
        root: the folder.
        skip: sub-folders that are no class.

    Raises:
        InputError: there is no class, or a class holds a folder.
    """
    names = sorted(each.name for each in root.iterdir() if _is_class(each) and each.name not in skip)
    problems = list(_nested(root, names))
    if problems or not names:
        says = "must hold one sub-folder of images per class; it holds none. Sort the images into sub-folders."
        raise InputError(str(root), problems or [Problem(0, "root", says)])
    found = [_images(root / name) for name in names]
    paths = tuple(f"{name}/{image}" for name, images in zip(names, found, strict=True) for image in images)
    labels = repeated([len(images) for images in found])
    return Listing(paths, labels, tuple(names), in_test=None, complete=())


def _is_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _images(folder: Path) -> list[str]:
    names = (each for each in folder.iterdir() if each.name.lower().endswith(SUFFIXES) and not each.is_dir())
    return sorted(each.name for each in names if not each.name.startswith("."))


def _nested(root: Path, names: list[str]) -> Iterator[Problem]:
    """Images further down would be left out without a word."""
    for name in names:
        if inner := sorted(each.name for each in (root / name).iterdir() if _is_class(each)):
            says = f"must hold images and no folder; it holds {some(inner)}. Move their images up, or remove them."
            yield Problem(0, name, says)
