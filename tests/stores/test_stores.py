"""Pixel stores: square and whole, made in parts, resumed, and never half-finished."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem, RunError
from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Augment, Crop
from realitycheck.stores import decode_parts as parts
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.open import open_store
from realitycheck.stores.prepare import prepare

QUICK = read_protocol(Path(__file__).parents[2] / "protocols" / "quick.yaml").value
CPU = torch.device("cpu")
SHAPES = [(8, 11), (13, 8), (8, 8), (8, 30)]


class Pictures(Dataset):
    """Six classes of four pictures, each of another shape, filled with its own number."""

    credit, channels = "", 3

    def __init__(self, broken=()):
        self.broken, self.asked = set(broken), []

    @property
    def classes(self):
        return tuple("abcdef")

    @property
    def labels(self):
        return np.repeat(np.arange(6), 4)

    @property
    def fingerprint(self):
        return "pictures"

    def images(self, indices, *, size):
        self.asked += indices
        broken = [index for index in indices if index in self.broken]
        bad = [Problem(0, f"{index:02d}.png", "cannot be decoded.", "image-unreadable") for index in broken]
        yield from (self.picture(index) for index in indices if index not in self.broken)
        if bad:
            raise InputError("pictures", bad)

    def picture(self, index):
        height, width = SHAPES[index % 4]
        row = np.arange(width, dtype=np.uint8)
        return np.broadcast_to(row + index, (3, height, width)).copy()


def protocol(**recipe):
    return QUICK.model_copy(update={"recipe": QUICK.recipe.model_copy(update={"image_size": 8, **recipe})})


WHOLE = protocol(resize=8, augment=Augment(shift=0, flip=0.0, crop=Crop(scale=(0.2, 1.0), ratio=(0.75, 1.33))))


def ready(dataset, rule, folder, *, watch=lambda done, of: None):
    recipe = rule.recipe
    sizes = {"kept": kept_images(image_size=recipe.image_size, resize=recipe.resize, fit=recipe.fit)}
    return prepare(dataset, folder, split=rule.split, watch=watch, **sizes)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "IMAGES_PER_PART", 5)


def test_a_stretched_picture_has_both_sides_resized(tmp_path):
    store = open_store(ready(Pictures(), protocol(fit="stretch"), tmp_path).trainval)
    middle = open_store(ready(Pictures(), protocol(), tmp_path).trainval)
    assert store.images.shape == (12, 3, 8, 8)
    assert store.facts.digest != middle.facts.digest
    for stretched, picture in zip(store.images, map(Pictures().picture, range(12)), strict=True):
        whole = Image.fromarray(np.moveaxis(picture, 0, 2)).resize((8, 8), Image.Resampling.BILINEAR)
        assert np.array_equal(stretched, np.moveaxis(np.asarray(whole), 2, 0))


def test_squares_are_the_middle_of_each_picture(tmp_path):
    store = open_store(ready(Pictures(), protocol(), tmp_path).trainval)
    assert store.images.shape == (12, 3, 8, 8)
    assert store.images[0, 0, 0].tolist() == list(range(2, 10))  # 8 of 11 columns, from round(1.5) = 2 on
    assert store.images[5, 2, 7].tolist() == list(range(5, 13))
    assert store.images[7, 1, 3].tolist() == list(range(18, 26))


def test_whole_pictures_keep_their_shape(tmp_path):
    stores = ready(Pictures(), WHOLE, tmp_path)
    store = open_store(stores.test)
    assert store.channels == 3
    assert store.sizes.tolist() == [list(shape) for shape in SHAPES * 3]
    middle = store.plain(np.array([3, 0]), recipe=WHOLE.recipe, device=CPU)
    assert middle.shape == (2, 3, 8, 8)
    assert middle[0, 0, 0].tolist() == list(range(26, 34))  # image 15 of the dataset: 11 columns are cut on the left
    drawn = store.drawn(np.arange(12), recipe=WHOLE.recipe, generator=torch.Generator().manual_seed(0), device=CPU)
    assert drawn.shape == (12, 3, 8, 8) and drawn.dtype == torch.uint8
    again = store.drawn(np.arange(12), recipe=WHOLE.recipe, generator=torch.Generator().manual_seed(0), device=CPU)
    assert torch.equal(drawn, again)


def test_the_digest_is_of_sizes_labels_and_pixels(tmp_path):
    stores = ready(Pictures(), protocol(), tmp_path)
    store = open_store(stores.trainval)
    head = json.dumps([[12, 3, 8, 8], store.labels.tolist()])
    assert store.digest == hashlib.sha256(head.encode() + store.images.tobytes()).hexdigest()
    assert stores.trainval_digest != stores.test_digest


def test_digests_of_files_are_part_of_it(tmp_path):
    class Other(Pictures):
        def digests(self, indices):
            return [f"{index:064d}" for index in indices]

    plain, other = (
        ready(dataset, protocol(), tmp_path / name) for dataset, name in ((Pictures(), "a"), (Other(), "b"))
    )
    assert plain.trainval_digest != other.trainval_digest


def test_an_interrupted_preparation_resumes_and_never_looks_finished(tmp_path):
    broken = Pictures(broken=[8, 10])
    with pytest.raises(InputError) as error:
        ready(broken, protocol(), tmp_path)
    assert [problem.where for problem in error.value.problems] == ["08.png", "10.png"]  # of different parts
    assert {problem.code for problem in error.value.problems} == {"image-unreadable"}
    (home,) = tmp_path.iterdir()
    with pytest.raises(RunError, match="no finished store"):
        open_store(home / "trainval")
    repaired = Pictures()
    stores = ready(repaired, protocol(), tmp_path)
    assert sorted(repaired.asked) == list(range(5, 12))  # the first part was kept, and the test half was whole
    whole = ready(Pictures(), protocol(), tmp_path / "fresh")
    assert stores.trainval_digest == whole.trainval_digest
    assert sorted(path.name for path in home.iterdir()) == ["test.json", "test.npy", "trainval.json", "trainval.npy"]


def test_a_finished_store_is_used_again(tmp_path):
    first = ready(Pictures(), protocol(), tmp_path)
    idle = Pictures()
    assert ready(idle, protocol(), tmp_path) == first and not idle.asked


def test_progress_is_reported(tmp_path):
    calls = []
    ready(Pictures(), protocol(), tmp_path, watch=lambda done, of: calls.append((done, of)))
    assert calls[2] == (12, 12) and calls[0] == (5, 12) and len(calls) == 6
