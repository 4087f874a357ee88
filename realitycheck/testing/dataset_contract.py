"""The contract of a dataset as tests."""

from __future__ import annotations

import hashlib
import pickle
from abc import abstractmethod

import numpy as np

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.reading.files import FileDataset


class DatasetContract:
    """Tests of the interface `datasets.base.Dataset`.

    Attributes:
        size: requested pixels of the shorter side.
    """

    size = 28

    @abstractmethod
    def make(self) -> Dataset:
        """Open the dataset."""

    def test_classes_and_labels_agree(self) -> None:
        """Class names are distinct, labels are int64, and no class is empty."""
        dataset = self.make()
        assert len(set(dataset.classes)) == len(dataset.classes)
        assert dataset.labels.dtype == np.int64 and dataset.labels.ndim == 1
        assert np.array_equal(np.unique(dataset.labels), np.arange(len(dataset.classes)))

    def test_images_have_the_requested_size_and_order(self) -> None:
        """Images are uint8 with the declared channels and the requested shorter side, in the order of the indices."""
        dataset = self.make()
        indices = [len(dataset.labels) - 1, 0, 0]
        last, first, again = dataset.images(indices, size=self.size)
        for image in (last, first):
            assert image.dtype == np.uint8 and image.ndim == 3, f"got {image.shape} {image.dtype}"
            assert image.shape[0] == dataset.channels and min(image.shape[1:]) == self.size, f"got {image.shape}"
        assert np.array_equal(first, again)
        assert np.array_equal(last, next(iter(dataset.images(indices[:1], size=self.size))))

    def test_an_unknown_index_is_an_error(self) -> None:
        """The index after the last image raises an IndexError."""
        dataset = self.make()
        try:
            list(dataset.images([len(dataset.labels)], size=self.size))
        except IndexError:
            return
        raise AssertionError("must raise an IndexError for the index after the last")

    def test_reopening_and_pickling_change_nothing(self) -> None:
        """A reopened and an unpickled dataset have the same classes, labels, split, fingerprint and pixels."""
        dataset = self.make()
        for other in (self.make(), pickle.loads(pickle.dumps(dataset))):
            assert (dataset.classes, dataset.official) == (other.classes, other.official)
            assert dataset.fingerprint == other.fingerprint
            assert np.array_equal(dataset.labels, other.labels)
            (first,), (again,) = dataset.images([0], size=self.size), other.images([0], size=self.size)
            assert np.array_equal(first, again)

    def test_official_split_is_disjoint_and_covers(self) -> None:
        """Every class is on exactly one side, and both sides have classes."""
        dataset = self.make()
        if dataset.official is not None:
            trainval, test = dataset.official
            assert sorted((*trainval, *test)) == list(range(len(dataset.classes)))
            assert trainval and test, "both sides of the official split must have classes"

    def test_digests_are_those_of_the_files(self) -> None:
        """Digests are the SHA-256 of the files in the order of the indices, or there are none."""
        dataset = self.make()
        indices = [len(dataset.labels) - 1, 0, 0]
        digests = dataset.digests(indices)
        assert not digests or (len(digests) == 3 and digests[1] == digests[2])
        if isinstance(dataset, FileDataset):
            contents = [(dataset.root / dataset.paths[index]).read_bytes() for index in indices]
            assert digests == [hashlib.sha256(content).hexdigest() for content in contents]

    def test_credit_is_one_line(self) -> None:
        """The credit has at most one line, because reports print it under tables."""
        assert len(self.make().credit.splitlines()) <= 1
