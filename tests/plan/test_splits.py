from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realitycheck.errors import InputError
from realitycheck.plan.splits import make_folds, split_classes


def refusal(call, *args, **options) -> tuple[str, str]:
    """Where a call is refused, and the code."""
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    (problem,) = caught.value.problems
    return problem.where, problem.code


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
        assert refusal(make_folds, range(classes), count=count, kind=kind, seed=seed, share=0.5) == (
            "folds.count",
            "fold-count",
        )
        return
    folds = make_folds(range(classes), count=count, kind=kind, seed=seed, share=0.5)
    assert sorted(index for fold in folds for index in fold.val) == list(range(classes))
    assert max(len(fold.val) for fold in folds) - min(len(fold.val) for fold in folds) <= 1
    for fold in folds:
        assert sorted(fold.train + fold.val) == list(range(classes))


def test_blocks_by_hand():
    folds = make_folds(range(98), count=4, kind="blocks", seed=0, share=0.5)
    assert [fold.val[0] for fold in folds] == [0, 24, 49, 73]
    assert [len(fold.val) for fold in folds] == [24, 25, 24, 25]


def test_too_few_classes_for_halves():
    assert refusal(split_classes, 3, order="sorted", seed=0) == ("classes", "classes-few")


@pytest.mark.parametrize(("count", "kind", "least"), [(1, "blocks", 2), (0, "hold_out", 1), (11, "mlrc", 2)])
def test_folds_out_of_range_name_the_bounds(count, kind, least):
    with pytest.raises(InputError) as caught:
        make_folds(range(10), count=count, kind=kind, seed=0, share=0.5)
    (problem,) = caught.value.problems
    assert (problem.where, problem.code) == ("folds.count", "fold-count")
    assert f"between {least} and 10" in problem.says


@pytest.mark.parametrize(
    ("classes", "validated", "never"),
    [
        # Ranges that the original's code gives, worked out by running its arithmetic; last ones are included.
        (100, [(75, 99), (0, 24), (25, 49), (50, 74)], []),  # CUB-200-2011
        (98, [(74, 97), (0, 23), (25, 48), (49, 72)], [24, 73]),  # Cars196
        (11317, [(8488, 11316), (0, 2828), (2829, 5657), (5658, 8486)], [8487]),  # SOP
    ],
)
def test_rotating_windows_are_those_of_the_paper_class_by_class(classes, validated, never):
    folds = make_folds(range(classes), count=4, kind="mlrc", seed=0, share=0.5)
    assert [fold.val for fold in folds] == [tuple(range(first, last + 1)) for first, last in validated]
    seen = {each for fold in folds for each in fold.val}
    assert sorted(set(range(classes)) - seen) == never
    for fold in folds:
        assert sorted(fold.train + fold.val) == list(range(classes))


def test_a_hold_out_trains_on_the_first_half():
    (fold,) = make_folds(range(7), count=1, kind="hold_out", seed=0, share=0.5)
    assert (fold.train, fold.val) == ((0, 1, 2), (3, 4, 5, 6))


def test_a_hold_out_has_the_share_that_the_protocol_says():
    (fold,) = make_folds(range(98), count=1, kind="hold_out", seed=0, share=0.8)  # Cars196: 78.4 classes
    assert (fold.train, fold.val) == (tuple(range(78)), tuple(range(78, 98)))
    (fold,) = make_folds(range(100), count=1, kind="hold_out", seed=0, share=0.29)
    assert len(fold.train) == 29  # 0.29 · 100 is less in binary


def test_official_halves_are_the_makers():
    split = split_classes(5, order="official", seed=0, official=((0, 2, 4), (1, 3)))
    assert (split.trainval, split.test) == ((0, 2, 4), (1, 3))
    assert refusal(split_classes, 5, order="official", seed=0) == ("split.order", "split-official-missing")
