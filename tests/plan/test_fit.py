"""Data that are too small for a protocol are told before anything runs."""

from pathlib import Path

import pytest

from realitycheck.plan.fit import data_problems
from realitycheck.protocol.model import Batch, Batches, FoldRule
from realitycheck.protocol.parse import read_protocol

BATCHES = Batches(pairs=Batch(classes=8, per_class=4), proxies=Batch(classes=16, per_class=2))
QUICK = read_protocol(Path(__file__).parents[2] / "protocols" / "quick.yaml").value
FOUR_FOLDS = QUICK.model_copy(update={"batches": BATCHES, "folds": FoldRule(count=4, kind="blocks", seed=0)})

FOLDS = [range(0, 6), range(6, 12), range(12, 18), range(18, 24)]
"""24 classes in folds of 6: 18 train."""


def faults(trainval, test, folds=FOLDS, **options) -> list[str]:
    return [problem.where for problem in data_problems(FOUR_FOLDS, trainval, test, folds, **options)]


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
    (problem,) = data_problems(FOUR_FOLDS, [4] * 24, [2], uneven)
    assert problem.says == "must not exceed the training classes of a fold, 15; got 16. Lower it."
