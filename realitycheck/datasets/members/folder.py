"""Images of your own, with one folder per class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import ImageList, repeated
from realitycheck.errors import InputError, Problem, first_few


class Folder(FileDataset):
    """A folder with one sub-folder of images per class. Names that begin with a dot are ignored.

    Images with 16-bit or float channels are rejected, because the right mapping to 8 bits is not known.

    Args:
        root: path of the folder.

    Raises:
        InputError: if it is not a folder, a class is empty or has sub-folders, or an image is a link out of the folder
            or not a regular file; it lists every problem.
    """

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout="one sub-folder of images per class")
        super().__init__(folder, class_folders(folder, skip=frozenset()))


def class_folders(root: Path, *, skip: frozenset[str]) -> ImageList:
    """List the images of a folder with one sub-folder per class; classes and files are sorted by name.

    Args:
        root: path of the folder.
        skip: names of sub-folders that are not classes.

    Raises:
        InputError: if there is no class, or a class has sub-folders.
    """
    names = sorted(path.name for path in root.iterdir() if _is_class(path) and path.name not in skip)
    if problems := list(_nested(root, names)):
        raise InputError(str(root), problems)
    if not names:
        says = "missing class folders; put the images into one sub-folder per class."
        raise InputError.one(str(root), "root-layout", says, where="root")
    images = [_images(root / name) for name in names]
    paths = tuple(f"{name}/{image}" for name, files in zip(names, images, strict=True) for image in files)
    return ImageList(paths, repeated([len(files) for files in images]), tuple(names), in_test=None, complete=())


def _is_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _images(folder: Path) -> list[str]:
    paths = (path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and not path.is_dir())
    return sorted(path.name for path in paths if not path.name.startswith("."))


def _nested(root: Path, names: list[str]) -> Iterator[Problem]:
    """Yield a problem for each class with sub-folders, because their images would be omitted silently."""
    for name in names:
        if inner := sorted(path.name for path in (root / name).iterdir() if _is_class(path)):
            says = f"sub-folders are not allowed here: {first_few(inner)}. Move their images up, or remove them."
            yield Problem(0, name, says, "class-nested")
