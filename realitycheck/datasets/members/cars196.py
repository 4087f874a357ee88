"""Cars196: 196 models of cars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from realitycheck.datasets.reading.disk import needed_folder
from realitycheck.datasets.reading.files import FileDataset
from realitycheck.datasets.reading.listing import Counts, Listing
from realitycheck.datasets.reading.matlab import records, texts
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem

LAYOUT = "either cars_annos.mat and car_ims/, or devkit/, cars_train/, cars_test/ and cars_test_annos_withlabels.mat"

WITH_LABELS = "cars_test_annos_withlabels.mat"
"""It came apart from the devkit, whose own list of the test images has no labels."""


class Cars196(FileDataset):
    """Stanford Cars (Krause et al., 2013) in either of the two forms that circulate; label order is the class id.

    Its own train/test lists split every class and are not used. Metric learning trains on the first 98 classes.

    Args:
        root: a folder with `cars_annos.mat` and `car_ims/`, or with `devkit/`, `cars_train/` and `cars_test/`.

    Raises:
        InputError: lists or images are missing, extra or not as published.
    """

    credit = (
        "Cars196: Krause, Stark, Deng and Fei-Fei, 3D Object Representations for Fine-Grained Categorization, 2013."
    )
    counts: ClassVar[Counts | None] = Counts(classes=196, images=16_185, official=None)

    def __init__(self, *, root: str) -> None:
        folder = needed_folder(root, layout=LAYOUT)
        super().__init__(folder, _listing(folder))


def _listing(root: Path) -> Listing:
    if (root / "cars_annos.mat").is_file():
        return _whole(root)
    if (root / "devkit").is_dir():
        return _devkit(root)
    raise InputError(str(root), [Problem(0, "root", f"must hold {LAYOUT}; it holds neither. Extract the archives.")])


def _whole(root: Path) -> Listing:
    """One list of all images, whose paths begin with `car_ims/`."""
    path = root / "cars_annos.mat"
    found = records(path, variable="annotations", fields=("relative_im_path", "class"))
    images = [(str(image), label) for image, label in found]
    return _checked(path, images, texts(path, variable="class_names"), complete=("car_ims",))


def _devkit(root: Path) -> Listing:
    """Two lists, each with the names of its own folder."""
    beside = root / WITH_LABELS
    lists = {
        "cars_train": root / "devkit" / "cars_train_annos.mat",
        "cars_test": beside if beside.is_file() else root / "devkit" / WITH_LABELS,
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
) -> Listing:
    labels = [_class(label) for _, label in images]
    if bad := [image for (image, _), label in zip(images, labels, strict=True) if not 1 <= label <= len(classes)]:
        says = f"must have a class of 1 to {len(classes)}; got another for {some(bad)}. Get the official file."
        raise InputError(str(source), [Problem(0, "class", says)])
    paths = tuple(image for image, _ in images)
    return Listing(paths, tuple(label - 1 for label in labels), classes, in_test=None, complete=complete)


def _class(label: object) -> int:
    """MATLAB writes whole numbers as integers or as doubles; 0 is no class."""
    return int(label) if isinstance(label, int | float) and label == label // 1 else 0
