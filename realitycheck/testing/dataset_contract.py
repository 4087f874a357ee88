"""What every dataset must keep, as tests."""

from __future__ import annotations

import hashlib
import pickle
from abc import abstractmethod

import numpy as np

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.files import FileDataset


class DatasetContract:
    """What every dataset must keep; `datasets.base.Dataset` says it in words.

    Attributes:
        size: pixels of the shorter side at which images are asked for.
    """

    size = 28

    @abstractmethod
    def make(self) -> Dataset:
        """The dataset, opened anew."""

    def test_classes_and_labels_agree(self) -> None:
        """Names are different, labels are int64, and no class is empty."""
        dataset = self.make()
        assert len(set(dataset.classes)) == len(dataset.classes)
        assert dataset.labels.dtype == np.int64 and dataset.labels.ndim == 1
        assert np.array_equal(np.unique(dataset.labels), np.arange(len(dataset.classes)))

    def test_images_come_whole_and_as_asked(self) -> None:
        """uint8 images with the declared channels, the shorter side as asked, in the order of the indices."""
        dataset = self.make()
        asked = [len(dataset.labels) - 1, 0, 0]
        last, first, again = dataset.images(asked, size=self.size)
        for image in (last, first):
            assert image.dtype == np.uint8 and image.ndim == 3, f"got {image.shape} {image.dtype}"
            assert image.shape[0] == dataset.channels and min(image.shape[1:]) == self.size, f"got {image.shape}"
        assert np.array_equal(first, again)
        assert np.array_equal(last, next(iter(dataset.images(asked[:1], size=self.size))))

    def test_an_unknown_index_is_an_error(self) -> None:
        """One past the last image."""
        dataset = self.make()
        try:
            list(dataset.images([len(dataset.labels)], size=self.size))
        except IndexError:
            return
        raise AssertionError("must raise an IndexError for the index after the last")

    def test_is_the_same_twice(self) -> None:
        """Opened again, and sent to another process: the same classes, labels, split, fingerprint and pixels."""
        one = self.make()
        for two in (self.make(), pickle.loads(pickle.dumps(one))):
            assert (one.classes, one.official, one.fingerprint) == (two.classes, two.official, two.fingerprint)
            assert np.array_equal(one.labels, two.labels)
            (first,), (again,) = one.images([0], size=self.size), two.images([0], size=self.size)
            assert np.array_equal(first, again)

    def test_official_split_is_disjoint_and_covers(self) -> None:
        """Every class is on one side, and both sides have some."""
        dataset = self.make()
        if dataset.official is not None:
            trainval, test = dataset.official
            assert sorted((*trainval, *test)) == list(range(len(dataset.classes)))
            assert trainval and test, "both sides of the official split must have classes"

    def test_digests_are_those_of_the_files(self) -> None:
        """SHA-256 of each image's bytes, in the order asked; none where images come with the package."""
        dataset = self.make()
        asked = [len(dataset.labels) - 1, 0, 0]
        found = dataset.digests(asked)
        assert not found or (len(found) == 3 and found[1] == found[2])
        if isinstance(dataset, FileDataset):
            contents = [(dataset.root / dataset.paths[index]).read_bytes() for index in asked]
            assert found == [hashlib.sha256(content).hexdigest() for content in contents]

    def test_credit_is_one_line(self) -> None:
        """It is printed under tables."""
        assert len(self.make().credit.splitlines()) <= 1
