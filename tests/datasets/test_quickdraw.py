"""Quick, Draw! bitmaps: the first 100 drawings of each class present."""

import hashlib

import numpy as np
import pytest

from realitycheck.datasets.members.quickdraw import QuickDraw
from realitycheck.errors import InputError
from realitycheck.testing import DatasetContract


def drawings(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 784), dtype=np.uint8)


@pytest.fixture
def root(tmp_path):
    np.save(tmp_path / "The Mona Lisa.npy", drawings(130, 0))
    np.save(tmp_path / "bee.npy", drawings(3, 1))
    return tmp_path


class TestQuickDraw(DatasetContract):
    @pytest.fixture(autouse=True)
    def _root(self, root):
        self.root = root

    def make(self):
        return QuickDraw(root=str(self.root))


def test_the_first_hundred_of_each(root):
    dataset = QuickDraw(root=str(root))
    assert dataset.classes == ("The Mona Lisa", "bee")
    assert np.bincount(dataset.labels).tolist() == [100, 3]
    images = list(dataset.images([99, 100, 102, 0], size=28))
    expected = [drawings(130, 0)[99], drawings(3, 1)[0], drawings(3, 1)[2], drawings(130, 0)[0]]
    assert np.array_equal(images, [drawing.reshape(1, 28, 28) for drawing in expected])
    assert dataset.digests([100]) == [hashlib.sha256(drawings(3, 1)[0].tobytes()).hexdigest()]


def test_wrong_files_are_named_at_once(root):
    np.save(root / "cat.npy", drawings(3, 2).astype(np.float32))
    np.save(root / "dog.npy", np.array([{"pickled": 1}], dtype=object), allow_pickle=True)
    np.save(root / "none.npy", drawings(0, 2))
    (root / "owl.npy").write_bytes(b"no array")
    with pytest.raises(InputError) as caught:
        QuickDraw(root=str(root))
    assert [(problem.where, problem.code) for problem in caught.value.problems] == [
        ("cat.npy", "array-shape"),
        ("dog.npy", "array-unreadable"),
        ("none.npy", "array-shape"),
        ("owl.npy", "array-unreadable"),
    ]


def test_links_and_empty_folders_are_refused(root, tmp_path_factory):
    with pytest.raises(InputError, match=r"\[root-layout\]"):
        QuickDraw(root=str(tmp_path_factory.mktemp("empty")))
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "ant.npy"
    np.save(elsewhere, drawings(3, 3))
    (root / "ant.npy").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"ant\.npy: .*\[file-outside\]"):
        QuickDraw(root=str(root))


def test_other_sizes_are_refused(root):
    with pytest.raises(InputError, match=r"recipe\.image_size: .*\[image-size\]"):
        list(QuickDraw(root=str(root)).images([0], size=32))
