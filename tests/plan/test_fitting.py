"""Folds and batch shapes for classes that cannot fill those of a protocol; the numbers are worked out by hand."""

from __future__ import annotations

import pytest

from realitycheck.plan.fitting import fitted
from realitycheck.plan.splits import make_folds
from realitycheck.protocol.read import read_protocol
from realitycheck.shipped import shipped_file

QUICK = read_protocol(shipped_file("protocols/quick.yaml")).value
"""Four folds in blocks; 8 × 4 for pairs and 32 × 1 for class vectors."""


@pytest.mark.parametrize(
    ("sizes", "folds", "pairs", "proxies"),
    [
        ([4] * 44, 4, (8, 4), (32, 1)),  # a fold trains on 33 classes
        ([4] * 40, 4, (8, 4), (30, 1)),  # on 30; the batch loses two images
        ([9] * 12, 4, (8, 4), (9, 3)),  # on 9: 32 // 9 of a class
        ([2] * 44, 4, (16, 2), (32, 1)),  # no more than two of a class
        ([30] * 6, 3, (4, 8), (4, 8)),  # six classes: two validate, four train
        ([30] * 4, 2, (2, 16), (2, 16)),
    ],
)
def test_what_the_classes_can_fill(sizes, folds, pairs, proxies):
    fit = fitted(QUICK, sizes)
    shapes = [(shape.classes, shape.per_class) for shape in (fit.batches.pairs, fit.batches.proxies)]
    assert (fit.folds.count, shapes) == (folds, [pairs, proxies])


@pytest.mark.parametrize("classes", range(4, 60))
@pytest.mark.parametrize("images", [2, 3, 50])
def test_every_fold_can_fill_every_batch_and_validates_on_two_classes(classes, images):
    fit = fitted(QUICK, [images] * classes)
    cut = make_folds(range(classes), count=fit.folds.count, kind="blocks", seed=0, share=0.5)
    for shape in (fit.batches.pairs, fit.batches.proxies):
        assert all(shape.classes <= len(fold.train) and len(fold.val) >= 2 for fold in cut)
        assert shape.per_class <= images
        assert shape.classes * shape.per_class <= 32
