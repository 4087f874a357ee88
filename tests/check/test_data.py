"""Data that are too small for a protocol are told before anything runs."""

from pathlib import Path

import pytest

from realitycheck.check.data import data_problems
from realitycheck.protocol.model import Batch, Batches, FoldRule
from realitycheck.protocol.parse import read_protocol

BATCHES = Batches(pairs=Batch(classes=8, per_class=4), proxies=Batch(classes=16, per_class=2))
QUICK = read_protocol(Path(__file__).parents[2] / "protocols" / "quick.yaml").value
FOUR_FOLDS = QUICK.model_copy(update={"batches": BATCHES, "folds": FoldRule(count=4, kind="blocks", seed=0)})

FOLDS = [range(0, 6), range(6, 12), range(12, 18), range(18, 24)]
"""24 classes in folds of 6: 18 train."""


def sized(counts) -> list[tuple[str, int]]:
    """Classes c00, c01, … of so many images."""
    return [(f"c{place:02}", count) for place, count in enumerate(counts)]


def problems(trainval, test, folds=FOLDS, **options):
    return data_problems(FOUR_FOLDS, sized(trainval), sized(test), folds, **options)


def faults(trainval, test, folds=FOLDS, **options) -> list[str]:
    return [problem.where for problem in problems(trainval, test, folds, **options)]


@pytest.mark.parametrize(
    ("trainval", "test", "folds", "expected"),
    [
        ([4] * 24, [2], FOLDS, []),
        ([4] * 24, [1, 1, 1], FOLDS, ["test classes"]),
        ([4] * 23 + [3], [2], FOLDS, ["batches.pairs.per_class"]),
        (
            [4] * 22 + [1, 1],
            [2],
            FOLDS,
            ["trainval classes", "batches.pairs.per_class", "batches.proxies.per_class"],
        ),
        (
            [4] * 20,
            [2],
            [range(0, 5), range(5, 10), range(10, 15), range(15, 20)],
            ["batches.proxies.classes"],
        ),
        ([4] * 3, [2], [[0], [1], [2]], ["folds.count", "batches.pairs.classes", "batches.proxies.classes"]),
        (
            [],
            [],
            [],
            [
                "folds.count",
                "test classes",
                *(f"batches.{f}.{k}" for f in ("pairs", "proxies") for k in ("classes", "per_class")),
            ],
        ),
    ],
)
def test_each_lack_is_told(trainval, test, folds, expected):
    assert faults(trainval, test, folds) == expected


def test_only_families_that_train_need_their_batches():
    assert faults([3] * 24, [2], families=["proxies"]) == []


def test_the_smallest_fold_decides():
    uneven = [range(0, 9), range(9, 14), range(14, 19), range(19, 24)]  # 15 classes train in the first
    (problem,) = problems([4] * 24, [2], uneven)
    assert problem.says == "must not exceed the training classes of a fold, 15; got 16. Lower it."


def test_classes_that_are_too_small_are_named():
    lonely, pairs, proxies = (problem.says for problem in problems([4] * 19 + [0, 1, 3, 1, 1], [2]))
    assert "got c19 (0), c20 (1), c22 (1) and 1 more. Remove or fill" in lonely
    assert "images, 0; got 4." in pairs
    assert pairs.endswith("the classes with fewer: c19 (0), c20 (1), c21 (3) and 2 more.")
    assert proxies.endswith("the classes with fewer: c19 (0), c20 (1), c22 (1) and 1 more.")


def test_a_test_half_without_a_query_names_its_classes():
    (problem,) = problems([4] * 24, [1, 0])
    assert "got c00 (1), c01 (0). Add some." in problem.says


def test_names_come_in_order_whatever_that_of_the_split():
    sizes = [("zebra", 1), ("ant", 0), *sized([4] * 22)]
    lonely, *_ = data_problems(FOUR_FOLDS, sizes, [("x", 2)], FOLDS)
    assert "got ant (0), zebra (1). Remove" in lonely.says
