"""Cars196: 196 models of cars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, ImageList
from realitycheck.datasets.reading.matlab import records, texts
from realitycheck.errors import InputError, first_few

LAYOUT = "either cars_annos.mat and car_ims/, or devkit/, cars_train/, cars_test/ and cars_test_annos_withlabels.mat"

WITH_LABELS = "cars_test_annos_withlabels.mat"
"""Published separately, because the devkit's own list of the test images has no labels."""


class Cars196(FileDataset):
    """Stanford Cars (Krause et al., 2013) in either of its two layouts; labels are in the order of the class ids.

    Its own train/test lists split every class and are not used. Metric learning trains on the first 98 classes.

    Args:
        root: a folder with `cars_annos.mat` and `car_ims/`, or with `devkit/`, `cars_train/` and `cars_test/`.

    Raises:
        InputError: if lists or images are missing, unexpected or not as published.
    """

    credit = (
        "Cars196: Krause, Stark, Deng and Fei-Fei, 3D Object Representations for Fine-Grained Categorization, 2013."
    )
    counts: ClassVar[Counts | None] = Counts(classes=196, images=16_185, official=None)

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout=LAYOUT)
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> ImageList:
    if (root / "cars_annos.mat").is_file():
        return _single_list(root)
    if (root / "devkit").is_dir():
        return _devkit(root)
    says = f"missing files; expected {LAYOUT}. Extract the archives."
    raise InputError.one(str(root), "root-layout", says, where="root")


def _single_list(root: Path) -> ImageList:
    """Read the layout with one list of all images, with paths that begin with `car_ims/`."""
    path = root / "cars_annos.mat"
    rows = records(path, variable="annotations", fields=("relative_im_path", "class"))
    images = [(str(image), label) for image, label in rows]
    return _checked(path, images, texts(path, variable="class_names"), complete=("car_ims",))


def _devkit(root: Path) -> ImageList:
    """Read the layout with two lists, each with the file names of its own folder."""
    in_root = root / WITH_LABELS
    lists = {
        "cars_train": root / "devkit" / "cars_train_annos.mat",
        "cars_test": in_root if in_root.is_file() else root / "devkit" / WITH_LABELS,
    }
    images = [
        (f"{folder}/{name}", label)
        for folder, path in lists.items()
        for name, label in records(path, variable="annotations", fields=("fname", "class"))
    ]
    classes = texts(root / "devkit" / "cars_meta.mat", variable="class_names")
    return _checked(root / "devkit", images, classes, complete=tuple(lists))


def _checked(
    source: Path, images: Sequence[tuple[str, object]], classes: tuple[str, ...], *, complete: tuple[str, ...]
) -> ImageList:
    labels = [_class_id(label) for _, label in images]
    if bad := [image for (image, _), label in zip(images, labels, strict=True) if not 1 <= label <= len(classes)]:
        says = f"class of {first_few(bad)} out of range: must be between 1 and {len(classes)}. Get the official file."
        raise InputError.one(str(source), "class-id-range", says, where="class")
    paths = tuple(image for image, _ in images)
    return ImageList(paths, tuple(label - 1 for label in labels), classes, in_test=None, complete=complete)


def _class_id(label: object) -> int:
    """Return a class id, which MATLAB writes as an integer or a double; 0 if it is not a whole number."""
    return int(label) if isinstance(label, int | float) and label == label // 1 else 0
