"""A third of the sketches is a third of the sketches."""

import numpy as np

from realitycheck.datasets.members.few_sketches import FewSketches
from realitycheck.datasets.members.sketches import Sketches
from realitycheck.testing import DatasetContract


class TestFewSketches(DatasetContract):
    def make(self):
        return FewSketches()


def test_every_third_class_with_its_own_drawings():
    few, every = FewSketches(), Sketches()
    assert len(few.classes) == 115
    assert few.classes[:2] == (every.classes[0], every.classes[3])
    for label, number in ((0, 0), (1, 99), (114, 50)):
        (drawing,) = few.images([100 * label + number], size=28)
        (same,) = every.images([300 * label + number], size=28)
        assert np.array_equal(drawing, same)
