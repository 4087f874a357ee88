"""Data that are too small for a protocol are found before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import Home

from realitycheck.check import data
from realitycheck.check.inspection import Inspection
from realitycheck.check.rules.base import rules_of
from realitycheck.protocol.read import open_files
from realitycheck.stores.prepare import Stores

BATCHES = "  pairs: {classes: 8, per_class: 4}\n  proxies: {classes: 16, per_class: 2}\n"
"""24 trainval classes in 4 folds of 6: 18 train."""


def sized(counts) -> tuple[tuple[str, int], ...]:
    """Classes c00, c01, … of so many images."""
    return tuple((f"c{place:02}", count) for place, count in enumerate(counts))


@pytest.fixture
def problems(home):
    """The problems of the dataset `sketches` where its halves have classes of these sizes."""
    home.replace(home.protocol, "  pairs: {classes: 4, per_class: 2}\n  proxies: {classes: 4, per_class: 2}\n", BATCHES)

    def found(trainval, test, *, home: Home = home):
        inspection = Inspection(open_files(home.study))
        stores = Stores(Path("a"), Path("b"), "a", "b", tuple(trainval), tuple(test))
        inspection.values.made["sketches", "stores"] = stores
        inspection.apply([one for one in rules_of(data) if not one.makes])
        error = inspection.error()
        return error.problems if error else ()

    return found


def place(problem) -> str:
    """Where a problem is: in the study, or, in words, in the protocol."""
    return problem.where if problem.where != "protocol" else problem.says.split("  ")[1].partition(":")[0]


SKETCHES = "datasets.sketches"


@pytest.mark.parametrize(
    ("trainval", "test", "expected"),
    [
        ([4] * 24, [2], []),
        ([4] * 24, [1, 1, 1], [(SKETCHES, "test-without-queries")]),
        ([4] * 23 + [3], [2], [("batches.pairs.per_class", "batch-per-class")]),
        (
            [4] * 22 + [1, 1],
            [2],
            [
                ("batches.pairs.per_class", "batch-per-class"),
                ("batches.proxies.per_class", "batch-per-class"),
                (SKETCHES, "class-too-small"),
            ],
        ),
        ([4] * 20, [2], [("batches.proxies.classes", "batch-classes")]),  # 15 train
        (
            [4] * 3,
            [2],
            [
                ("batches.pairs.classes", "batch-classes"),
                ("batches.proxies.classes", "batch-classes"),
                ("folds.count", "fold-count"),
            ],
        ),
    ],
)
def test_every_lack_is_found(problems, trainval, test, expected):
    found = problems(sized(trainval), sized(test))
    assert sorted((place(problem), problem.code) for problem in found) == expected


def test_only_families_that_train_need_their_batches(problems, home):
    text = home.study.read_text()
    start, end = text.index("  contrastive: {}"), text.index("  softmax:")
    circle, after = text.index("  circle:"), text.index("baseline:")
    home.study.write_text(text[:start] + text[end:circle] + text[after:])
    found = problems(sized([3] * 24), sized([2]))
    assert "batch-per-class" not in {problem.code for problem in found}


def test_a_stream_draws_images_of_small_classes_again(problems, home):
    """As classes of two images give four in the original; the batch shape of the other family is no stream."""
    home.replace(home.protocol, "per_class: 4}", "per_class: 4, stream: true}")
    assert problems(sized([2] * 24), sized([2])) == ()
    assert [place(problem) for problem in problems(sized([2] * 23 + [1]), sized([2]))] == [
        "batches.proxies.per_class",
        SKETCHES,
    ]


def test_the_smallest_fold_decides(problems, home):
    """25 classes in 4 folds: one validates 7 classes, so that 18 train; 19 train in the others."""
    home.replace(home.protocol, "proxies: {classes: 16", "proxies: {classes: 19")
    (problem,) = problems(sized([4] * 25), sized([2]))
    assert (place(problem), problem.code) == ("batches.proxies.classes", "batch-classes")
    assert "at most 18" in problem.says


def test_classes_that_are_too_small_are_named(problems):
    pairs, proxies, classes = problems(sized([4] * 19 + [0, 1, 3, 1, 1]), sized([2]))
    assert "c19 (0), c20 (1), c22 (1) and 1 more" in classes.says
    assert "c19 (0), c20 (1), c21 (3) and 2 more" in pairs.says
    assert "c19 (0), c20 (1), c22 (1) and 1 more" in proxies.says


def test_a_test_half_without_a_query_names_its_classes(problems):
    (problem,) = problems(sized([4] * 24), sized([1, 0]))
    assert "c00 (1), c01 (0)" in problem.says


def test_names_come_in_order_whatever_that_of_the_split(problems):
    *_, classes = problems([("zebra", 1), ("ant", 0), *sized([4] * 22)], [("x", 2)])
    assert "ant (0), zebra (1)" in classes.says


@pytest.mark.parametrize(
    ("old", "new", "where", "code"),
    [
        ("order: sorted", "order: official", "protocol", "split-official-missing"),
        ("root: images/birds", "root: nowhere", "datasets.birds", None),
        ("root: images/birds", "root: " + "b" * 300, "datasets.birds", "dataset-opens"),
    ],
)
def test_a_dataset_that_cannot_be_opened_or_split(home, old, new, where, code):
    pictures = home.folder / "studies" / "images" / "birds"
    for name in "abcd":
        (pictures / name).mkdir(parents=True)
        (pictures / name / "1.png").write_bytes(b"not opened")
    text = home.study.read_text().replace("  sketches: {}\n", "")
    home.study.write_text(text.replace(old, new))
    home.protocol.write_text(home.protocol.read_text().replace(old, new))
    inspection = Inspection(open_files(home.study))
    inspection.apply([data.dataset_opens, data.official_split_is_there, data.classes_can_be_split])
    (problem,) = inspection.error().problems
    assert (problem.where, problem.code) == (where, code or problem.code)


def test_a_dataset_of_too_few_classes(home):
    pictures = home.folder / "studies" / "images" / "birds"
    for name in "abc":
        (pictures / name).mkdir(parents=True)
        (pictures / name / "1.png").write_bytes(b"not opened")
    home.replace(home.study, "  sketches: {}\n", "")
    inspection = Inspection(open_files(home.study))
    inspection.apply([data.dataset_opens, data.official_split_is_there, data.classes_can_be_split])
    assert [(problem.where, problem.code) for problem in inspection.error().problems] == [
        ("datasets.birds", "classes-few")
    ]
