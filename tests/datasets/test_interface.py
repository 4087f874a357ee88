"""A dataset of a study's author that returns something else than the interface asks for is refused, and not used."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.decode_parts import KeptImages
from realitycheck.stores.prepare import prepare

SIZE = 8


class Right(Dataset):
    """Four classes of three images of 8 × 10 pixels."""

    credit, channels = "", 3
    files, names = "digests", "names"

    @property
    def classes(self):
        return ("a", "b", "c", "d")

    @property
    def labels(self):
        return np.repeat(np.arange(4), 3)

    @property
    def fingerprint(self):
        return "right"

    def images(self, indices, *, size):
        return (self.image(index) for index in indices)

    def image(self, index):
        return np.random.default_rng(index).integers(0, 255, (3, SIZE, 10), dtype=np.uint8)

    def digests(self, indices):
        return [f"{index:064x}" for index in indices]

    def names_of(self, indices):
        return [f"{index}.png" for index in indices]


def codes(folder, **members) -> list[tuple[str, str]]:
    """Place and code of what is wrong with a dataset with these members."""
    dataset = type("Wrong", (Right,), members)()
    split, kept = SplitRule(order="official" if dataset.official else "sorted", seed=0), KeptImages(SIZE, "middle")
    try:
        prepare(dataset, folder, split=split, kept=kept, watch=lambda done, of: None)
    except InputError as error:
        return sorted({(problem.where, problem.code) for problem in error.problems})
    return []


def test_a_right_one_is_taken(tmp_path):
    assert codes(tmp_path) == []
    assert codes(tmp_path, official=((0, 2), (1, 3))) == []
    assert codes(tmp_path, classes=("w", "x", "y", "z"), labels=np.repeat(np.arange(4), 3).astype(np.int32)) == []


def drawn(index):
    return Right().image(index)


IMAGES = {
    "floats to 1": lambda self, index: drawn(index) / 255,  # would all be 0
    "floats to 255": lambda self, index: drawn(index).astype(np.float64),
    "wide integers": lambda self, index: drawn(index).astype(np.int64),
    "height first": lambda self, index: np.moveaxis(drawn(index), 0, 2),
    "one plane": lambda self, index: drawn(index)[0],
    "one channel": lambda self, index: drawn(index)[:1],
    "four channels": lambda self, index: np.concatenate([drawn(index), drawn(index)[:1]]),
    "too small": lambda self, index: drawn(index)[:, :5],
    "too large": lambda self, index: drawn(index).repeat(2, axis=1).repeat(2, axis=2),
    "of Pillow": lambda self, index: Image.fromarray(np.moveaxis(drawn(index), 0, 2)),
    "nothing": lambda self, index: None,
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_an_image_of_another_kind_or_shape_is_refused(tmp_path, image):
    assert codes(tmp_path, image=image) == [("images", "dataset-interface")]


@pytest.mark.parametrize("count", [-1, 1])
def test_images_are_as_many_as_asked_for(tmp_path, count):
    def images(self, indices, *, size):
        asked = [*indices, 0] if count > 0 else indices[1:]
        return (self.image(index) for index in asked)

    assert codes(tmp_path, images=images) == [("images", "dataset-interface")]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("classes", None),
        ("classes", ("a", "a", "b", "c")),
        ("classes", (1, 2, 3, 4)),
        ("classes", "abcd"),
        ("labels", [0, 1, 2, 3] * 3),
        ("labels", np.repeat(np.arange(4), 3) + 0.5),
        ("labels", np.repeat(np.arange(4), 3) + 1),  # the first class is empty, the last one unknown
        ("labels", np.repeat(np.arange(4), 3)[:, None]),
        ("labels", np.zeros(0, dtype=np.int64)),
        ("fingerprint", None),
        ("credit", 5),
        ("channels", "3"),
        ("channels", 2),
        ("official", ((0, 1, 2), (2, 3))),  # class 2 would be trained on and tested on
        ("official", ((0, 1), (2,))),
        ("official", ((0, 1, 2, 3), ())),
        ("official", "ab"),
        ("warnings", ("x",)),
        ("digests", lambda self, indices: ["0" * 64]),
        ("digests", lambda self, indices: list(indices)),
        ("digests", lambda self, indices: None),
        ("names_of", lambda self, indices: ["one.png"]),
        ("names_of", lambda self, indices: list(indices)),
    ],
)
def test_an_attribute_of_another_kind_is_refused(tmp_path, where, value):
    assert codes(tmp_path, **{where: value}) == [(where, "dataset-interface")]
