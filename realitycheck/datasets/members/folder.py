"""Images of your own, with one folder per class."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.datasets.reading.class_folders import class_folders
from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset


class Folder(FileDataset):
    """A folder with one sub-folder of images per class. Names that begin with a dot are ignored.

    Images with 16-bit or float channels are rejected, because the right mapping to 8 bits is not known. Other files
    than images, and files beside the class folders, are in `warnings`.

    Args:
        root: path of the folder.
        exclude: patterns of paths below the root that are left out: `*`, `?` and `[…]` as in a shell.

    Raises:
        InputError: if it is not a folder, a class is empty or has sub-folders, or an image is a link out of the folder
            or not a regular file; it lists every problem.
    """

    def __init__(self, *, root: str, exclude: Sequence[str] = ()) -> None:
        folder = needed_folder(root, layout="one sub-folder of images per class")
        scan = class_folders(folder, skip=frozenset(), exclude=exclude)
        super().__init__(folder, scan.listing, earlier=scan.problems)
        self.warnings = scan.warnings
