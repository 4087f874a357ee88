"""Rules run where what they need is sound, together, and their own mistakes are never hidden."""

from __future__ import annotations

import itertools

import pytest
from homes import marks

from realitycheck.check.inspection import FILE_RULES, Inspection
from realitycheck.check.needs import parse_need
from realitycheck.check.rules.base import Made, rule
from realitycheck.protocol.document import Fault
from realitycheck.protocol.read import open_files, read_study


def seen(home, *rules):
    """What the problems are after these rules."""
    inspection = Inspection(open_files(home.study))
    inspection.apply(rules)
    error = inspection.error()
    return marks(error.problems) if error else []


def record(calls, at, **needs):
    """A rule that notes what it is called with."""

    @rule(at, **needs)
    def noted(value, **others):
        calls.append((value, *others.values()))
        yield from ()

    return noted


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (["protocol.search.trials", "protocol.search.round"], [(6, 2)]),
        (["protocol.phases.<phase>.cap", "<phase>"], [(40, 0), (20, 1)]),
        (["keys(study.losses)"], [(("contrastive", "softmax", "circle"),)]),
        (["loss.address", "<loss>"], [("contrastive", "contrastive"), ("normalized_softmax", "softmax")]),
        (["loss.family", "<loss>"], [("pairs", "contrastive"), ("proxies", "softmax"), ("pairs", "circle")]),
        (["keys(loss.space)", "<loss>"], [(("pos_margin", "neg_margin"), "contrastive")]),
        (["dataset.address", "dataset.root"], [("sketches", None), ("folder", "images/birds")]),
        (["families"], [(frozenset({"pairs", "proxies"}),)]),
        (["made.watch"], []),
    ],
)
def test_needs(home, needs, expected):
    calls = []
    first, *others = needs
    assert seen(home, record(calls, first, **{f"a{place}": need for place, need in enumerate(others)})) == []
    assert calls[: len(expected)] == expected


def test_the_protocol_on_a_dataset(home):
    home.replace(home.protocol, "final:", "on: {sketches: {image_size: 32, split: null}}\nfinal:")
    calls = []
    seen(home, record(calls, "protocol@<dataset>.recipe.image_size", name="<dataset>"))
    seen(home, record(calls, "protocol@<dataset>.split.order", name="<dataset>"))
    assert calls == [(32, "sketches"), (28, "birds"), ("sorted", "sketches"), ("sorted", "birds")]


def test_the_space_of_a_loss_on_a_dataset(home):
    home.spaces.write_text(home.spaces.read_text() + "contrastive@folder:\n  neg_margin: 1.0\n  pos_margin: 0.5\n")
    calls = []
    seen(home, record(calls, "keys(loss@<dataset>.space)", loss="<loss>", dataset="<dataset>"))
    spaces = {(loss, dataset): names for names, loss, dataset in calls}
    assert spaces["contrastive", "sketches"] == ("pos_margin", "neg_margin")
    assert spaces["contrastive", "birds"] == ("neg_margin", "pos_margin")


def test_a_rule_runs_once_on_datasets_that_do_not_differ(home):
    calls = []
    seen(home, record(calls, "protocol@<dataset>.recipe.image_size"))
    assert calls == [(28,)]


def test_without_what_it_needs_a_rule_does_not_run(home):
    home.replace(home.protocol, "trials: 6", "trials: x")
    calls = []
    seen(home, record(calls, "protocol.search.trials"), record(calls, "protocol.search.round"))
    assert calls == [(2,)]


def test_what_one_rule_refuses_is_missing_for_the_next(home):
    @rule("protocol.search.trials")
    def refuse(value):
        yield Fault("too-odd", f"{value} is out of range.")

    calls = []
    found = seen(home, record(calls, "protocol.search.trials"), refuse, record(calls, "protocol.search.trials"))
    assert found == [(35, "search.trials", "too-odd")]
    assert calls == [(6,)]


def test_what_one_rule_makes_the_next_may_need(home):
    @rule("dataset.address", makes="made.<dataset>.length")
    def make(address):
        yield Made(len(address))

    calls = []
    seen(home, make, record(calls, "made.<dataset>.length", name="<dataset>"))
    assert calls == [(8, "sketches"), (6, "birds")]


@pytest.mark.parametrize(
    ("at", "others", "expected"),
    [
        ("protocol.search.trials", {}, (35, "search.trials")),  # of the protocol alone: under its own name
        ("protocol.search.trials", {"study": "study.baseline"}, (3, "protocol")),
        ("protocol@<dataset>.recipe.image_size", {}, (3, "protocol")),
        ("spaces.contrastive.pos_margin", {}, (2, "contrastive.pos_margin")),
        ("study.baseline", {"trials": "protocol.search.trials"}, (19, "baseline")),
        ("loss.address", {}, (8, "losses.contrastive")),
        ("loss.space", {}, (8, "losses.contrastive.space")),
    ],
)
def test_where_problems_are(home, at, others, expected):
    @rule(at, **others)
    def refuse(_, **others):
        yield Fault("code", "It is wrong.")

    (line, where, code), *_ = seen(home, refuse)
    assert (line, where, code) == (*expected, "code")


def test_a_range_of_the_spaces_is_named_with_its_file_and_line(home):
    @rule("keys(loss.space)", loss="<loss>")
    def refuse(_, *, loss):
        if loss == "contrastive":
            yield Fault("code", "It is wrong.", ("neg_margin",))

    inspection = Inspection(open_files(home.study))
    inspection.apply([refuse])
    (problem,) = inspection.error().problems
    assert (problem.line, problem.where) == (8, "losses.contrastive.space.neg_margin")
    assert problem.says == f"{home.spaces} line 3: It is wrong."


@pytest.mark.parametrize("wrong", [lambda value: value.nothing, lambda value: undefined, lambda value: value + "x"])  # noqa: F821
def test_a_mistake_in_a_rule_is_a_traceback(home, wrong):
    @rule("protocol.search.trials")
    def mistaken(value):
        yield Fault("code", wrong(value))

    home.replace(home.protocol, "seed: 7", "seed: x")
    with pytest.raises((AttributeError, NameError, TypeError)):
        seen(home, mistaken)


@pytest.mark.parametrize("need", ["keys(", "protocol search", "a@b.c", ""])
def test_a_need_that_is_written_otherwise_is_a_mistake(need):
    with pytest.raises(ValueError, match="need"):
        parse_need(need)


def test_a_valid_study_is_that_of_read_study(home):
    inspection = Inspection(open_files(home.study))
    inspection.apply(FILE_RULES)
    assert inspection.study() == read_study(home.study)


VALUES = ["seed: 7", "trials: 6", "channels: 8", "flip: 0.5", "image_size: 28", "level: 0.95", "order: sorted"]


@pytest.mark.parametrize("pair", list(itertools.combinations(VALUES, 2)), ids=" x ".join)
def test_two_wrong_values_are_two_problems(home, pair):
    for value in pair:
        home.replace(home.protocol, value, f"{value.partition(':')[0]}: [wrong]")
    assert len(seen(home, *FILE_RULES)) == 2
