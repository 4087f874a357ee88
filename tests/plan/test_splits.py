from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realitycheck.errors import InputError
from realitycheck.plan.splits import make_folds, split_classes


@given(classes=st.integers(4, 400), order=st.sampled_from(["sorted", "shuffled"]), seed=st.integers(0, 99))
def test_halves_are_disjoint_and_cover(classes, order, seed):
    split = split_classes(classes, order=order, seed=seed)
    assert sorted(split.trainval + split.test) == list(range(classes))
    assert len(split.test) - len(split.trainval) in (0, 1)


def test_sorted_halves_are_the_papers():
    cub = split_classes(200, order="sorted", seed=0)
    assert cub.trainval == tuple(range(100))
    assert cub.test == tuple(range(100, 200))
    assert len(split_classes(345, order="sorted", seed=0).trainval) == 172


def test_shuffled_halves_depend_on_the_seed():
    one, two = (split_classes(200, order="shuffled", seed=seed).trainval for seed in (1, 2))
    assert one != two
    assert one != tuple(range(100))


@given(
    classes=st.integers(2, 300),
    count=st.integers(2, 8),
    kind=st.sampled_from(["blocks", "shuffled"]),
    seed=st.integers(0, 99),
)
def test_every_class_validates_once(classes, count, kind, seed):
    if count > classes:
        with pytest.raises(InputError, match="number of classes"):
            make_folds(range(classes), count=count, kind=kind, seed=seed)
        return
    folds = make_folds(range(classes), count=count, kind=kind, seed=seed)
    assert sorted(each for fold in folds for each in fold.val) == list(range(classes))
    assert max(len(fold.val) for fold in folds) - min(len(fold.val) for fold in folds) <= 1
    for fold in folds:
        assert sorted(fold.train + fold.val) == list(range(classes))


def test_blocks_by_hand():
    folds = make_folds(range(98), count=4, kind="blocks", seed=0)
    assert [fold.val[0] for fold in folds] == [0, 24, 49, 73]
    assert [len(fold.val) for fold in folds] == [24, 25, 24, 25]


def test_too_few_classes_for_halves():
    with pytest.raises(InputError, match="at least 4"):
        split_classes(3, order="sorted", seed=0)
