"""NMI on hand-made clusters, against its formula, and against pytorch-metric-learning."""

from __future__ import annotations

import math
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from realitycheck import metrics
from realitycheck.errors import InputError

DISTANCES = ("cosine", "euclidean")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def blurred(n, d, classes, *, spread):
    """Rows around one place per class, and their classes."""
    draw = torch.Generator().manual_seed(n + d)
    kind = torch.arange(n) % classes
    return torch.randn(classes, d, generator=draw)[kind] + spread * torch.randn(n, d, generator=draw), kind


def entropy(values):
    n = len(values)
    return -math.fsum(count / n * math.log(count / n) for count in Counter(values).values())


@pytest.mark.parametrize("distance", DISTANCES)
def test_separate_classes_agree_perfectly(distance):
    """With two classes no start leads k-means astray; with more, two centres may begin and stay in one class."""
    rows = torch.eye(2).repeat_interleave(10, 0)
    assert metrics.nmi(rows, torch.arange(2).repeat_interleave(10), distance=distance) == pytest.approx(1.0)


@pytest.mark.parametrize("distance", DISTANCES)
def test_one_place_for_all_tells_nothing(distance):
    assert metrics.nmi(torch.ones(30, 4), torch.arange(30) % 3, distance=distance) == 0.0


def test_by_the_formula():
    """Two places; class 0 is wholly at the first, class 1 is divided: I / mean(H) by hand."""
    rows = torch.tensor([[0.0, 1]] * 6 + [[1.0, 0]] * 2)
    labels, places = [0, 0, 0, 0, 1, 1, 1, 1], [0] * 6 + [1] * 2
    shared = entropy(labels) + entropy(places) - entropy(list(zip(labels, places, strict=True)))
    expected = 2 * shared / (entropy(labels) + entropy(places))
    assert metrics.nmi(rows, torch.tensor(labels), distance="euclidean") == pytest.approx(expected, abs=1e-12)


def test_singletons_count_as_classes():
    rows = torch.eye(2)[[0, 0, 0, 1]]
    assert metrics.nmi(rows, torch.tensor([5, 5, 5, 9]), distance="euclidean") == pytest.approx(1.0)


@pytest.mark.parametrize("distance", DISTANCES)
def test_agrees_with_pytorch_metric_learning(distance):
    rows, kind = blurred(600, 8, 12, spread=1.0)
    calculator = AccuracyCalculator(include=("NMI",), device=torch.device("cpu"))
    flat = torch.nn.functional.normalize(rows.double()).float() if distance == "cosine" else rows
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_metric_learning")
        warnings.filterwarnings("ignore", module="faiss")
        theirs = calculator.get_accuracy(flat, kind)["NMI"]
    assert 0.2 < theirs < 0.95
    assert metrics.nmi(rows, kind, distance=distance) == pytest.approx(theirs, abs=1e-9)


def test_cosine_ignores_the_length_of_rows_and_euclidean_does_not():
    rows, kind = blurred(200, 6, 8, spread=0.5)
    longer = rows * torch.exp2((torch.arange(200) % 7 - 3).float()).unsqueeze(1)
    assert metrics.nmi(longer, kind, distance="cosine") == metrics.nmi(rows, kind, distance="cosine")
    assert metrics.nmi(longer, kind, distance="euclidean") != metrics.nmi(rows, kind, distance="euclidean")


@pytest.mark.parametrize("distance", DISTANCES)
def test_two_runs_give_the_same_bits_on_any_number_of_threads(distance):
    rows, kind = blurred(1500, 32, 40, spread=2.0)
    actual = [metrics.nmi(rows, kind, distance=distance) for _ in range(2)]
    torch.set_num_threads(2)
    actual.append(metrics.nmi(rows, kind, distance=distance))
    assert 0.2 < actual[0] < 0.95
    assert len(set(actual)) == 1


def test_many_items_per_class_are_all_used():
    """faiss would by itself look at 256 items for each centre; arrays and few per class do as well."""
    rows, kind = blurred(900, 4, 2, spread=0.1)
    assert metrics.nmi(rows.numpy(), kind.numpy(), distance="euclidean") == pytest.approx(1.0)
    few, kinds = np.eye(4, dtype=np.float32).repeat(2, 0), np.arange(4).repeat(2)
    assert 0 < metrics.nmi(few, kinds, distance="cosine") <= 1


def test_refusals_say_what_must_hold():
    with pytest.raises(InputError, match=r"\[labels-without-pairs\]"):
        metrics.nmi(torch.ones(4, 2), torch.arange(4), distance="cosine")
    with pytest.raises(InputError, match=r"\[embeddings-not-finite\]"):
        metrics.nmi(torch.ones(4, 2) * torch.nan, torch.zeros(4, dtype=torch.int64), distance="cosine")
    with pytest.raises(InputError, match=r"\[distance-unknown\]"):
        metrics.nmi(torch.ones(4, 2), torch.zeros(4, dtype=torch.int64), distance="manhattan")
