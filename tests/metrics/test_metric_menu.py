"""The menu of metrics: what holds for every entry, and who reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from realitycheck import metrics
from realitycheck.metrics.measure import measure
from realitycheck.metrics.menu import ASKED, MENU, METRICS, PRIMARY, heading, in_order, metric_entry

KINDS = torch.arange(60) % 7
ASKED_FOR = {option: [2, 5] if entry.least_k else True for option, entry in ASKED.items()}


def clouds(width: float) -> torch.Tensor:
    """60 points around 7 centres at distances of about 5; the classes overlap if they are wide."""
    generator = torch.Generator().manual_seed(0)
    centres = 3 * torch.randn(7, 8, generator=generator)
    return centres[KINDS] + width * torch.randn(60, 8, generator=generator)


def test_names_are_unique_and_numbers_stand_in_the_last_word():
    for names in ([entry.key for entry in MENU], [entry.heading for entry in MENU], [entry.term for entry in MENU]):
        assert len(set(names)) == len(names)
    for entry in MENU:
        assert entry.key.endswith("_{k}") == ("{k}" in entry.heading) == (entry.least_k > 0)


def test_a_verdict_needs_a_score_of_every_record():
    assert set(PRIMARY) <= set(METRICS)
    assert METRICS == ("map_at_r", "r_precision", "precision_at_1")


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_every_score_is_a_share_and_better_for_classes_apart(distance):
    apart, mixed = (measure(clouds(w), KINDS, extra=ASKED_FOR, distance=distance) for w in (0.1, 5.0))
    names = [*METRICS, *(key for option, entry in ASKED.items() for key in entry.keys(ASKED_FOR[option]))]
    assert set(names) == apart.keys() - {"map_at_r_per_class"}
    for name in names:
        better, worse = (apart, mixed) if metric_entry(name)[0].higher_is_better else (mixed, apart)
        assert 0 <= worse[name] < better[name] <= 1, name


def test_what_is_not_asked_for_is_not_measured():
    assert measure(clouds(1.0), KINDS, extra={}, distance="cosine").keys() == {*METRICS, "map_at_r_per_class"}
    nothing = {option: [] if entry.least_k else False for option, entry in ASKED.items()}
    assert measure(clouds(1.0), KINDS, extra=nothing, distance="cosine").keys() == {*METRICS, "map_at_r_per_class"}


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.key)
def test_a_function_is_a_name_of_the_package(entry):
    """The value of each entry's own function, called as its entry says, is what `measure` has."""
    function = getattr(metrics, entry.function.partition(":")[2])
    k = {"ks": [5]} if entry.least_k else {}
    value = function(clouds(2.0), KINDS, distance="cosine", **k)
    key = entry.key.format(k=5)
    value = value[5] if entry.least_k else value if entry.option else value[key]
    assert value == measure(clouds(2.0), KINDS, extra=ASKED_FOR, distance="cosine")[key]


def test_a_name_that_is_no_function_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'recal_at_k'"):
        metrics.recal_at_k  # noqa: B018


def test_headings_and_order():
    assert [heading(name) for name in ("map_at_r", "recall_at_10", "nmi")] == ["MAP@R", "R@10", "NMI"]
    assert metric_entry("recall_at_10")[0].term == "R@k"
    assert metric_entry("precision_at_1") == (MENU[2], 0)
    mixed = {"nmi", "recall_at_10", "recall_at_2", "precision_at_1", "map_at_r"}
    assert in_order(mixed) == ["map_at_r", "precision_at_1", "recall_at_2", "recall_at_10", "nmi"]


@pytest.mark.parametrize("name", ["recall", "recall_at_", "recall_at_x", "precision_at_R", "map_10", ""])
def test_an_unknown_name_has_no_entry(name):
    with pytest.raises(KeyError):
        metric_entry(name)


def test_reading_the_menu_loads_neither_torch_nor_numpy():
    code = "import sys, realitycheck.metrics.menu; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
