"""Each value of a file is validated by itself; what is wrong is missing, and is never read as its default."""

from __future__ import annotations

import pytest

from realitycheck.check.sections import MISSING, Sections
from realitycheck.protocol.document import read_document
from realitycheck.protocol.model import Batch
from realitycheck.protocol.recipe import TrunkChoice, Weights
from realitycheck.protocol.space import Uniform
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.protocol.study_file import WrittenLoss


def sections(home, old: str = "", new: str = "", *, file: str = "protocol") -> Sections:
    path = getattr(home, file)
    if old:
        home.replace(path, old, new)
    return Sections(file, read_document(path, source=path.name))


def test_values_have_the_types_of_the_schema(home):
    found = sections(home)
    assert found.value(("split",)) == SplitRule(order="sorted", seed=0)
    assert found.value(("batches", "pairs")) == Batch(classes=4, per_class=2)
    assert found.value(("phases", 1, "cap")) == 20
    assert found.value(("seed",)) == 7
    assert found.problems == []


def test_what_a_file_may_leave_out_has_its_default(home):
    found = sections(home)
    assert found.value(("search", "searches")) == 1
    assert found.value(("recipe", "resize")) is None
    assert found.value(("recipe", "trunk", "weights", "source")) is None
    assert found.value(("scores", "recall_at")) == ()
    assert found.value(("recipe", "augment", "crop", "scale")) is MISSING  # no default without a crop


@pytest.mark.parametrize(
    ("old", "new", "missing", "sound"),
    [
        ("seed: 7", "seed: x", [("seed",)], [("split",)]),
        ("seed: 7\n", "", [("seed",)], [("split",)]),
        # a wrong part is missing, and the whole with it; the other parts are sound
        ("trials: 6", "trials: 0", [("search",), ("search", "trials")], [("search", "round"), ("search", "shared")]),
        (
            "flip: 0.5",
            "flip: 2",
            [("recipe",), ("recipe", "augment")],
            [("recipe", "augment", "shift"), ("recipe", "trunk")],
        ),
        ("augment: {shift: 2, flip: 0.5}", "augment: 3", [("recipe", "augment", "crop")], [("recipe", "trunk")]),
        ("augment: {shift: 2, flip: 0.5}", "augment: *x", [("recipe", "augment", "crop")], [("recipe", "trunk")]),
        ("name: normal", "name: norml", [("phases",), ("phases", 0, "name")], [("phases", 0, "cap"), ("phases", 1)]),
        # given under a misspelt key: the default does not hold
        ("image_size: 28", "image_size: 28\n  rezise: 32", [("recipe", "resize")], [("recipe", "image_size")]),
    ],
)
def test_what_is_wrong_is_missing_and_nothing_else(home, old, new, missing, sound):
    found = sections(home, old, new)
    assert [found.value(keys) for keys in missing] == [MISSING] * len(missing)
    assert MISSING not in [found.value(keys) for keys in sound]


def test_what_a_rule_refused_is_missing_with_all_that_holds_it(home):
    found = sections(home)
    found.refuse(("recipe", "trunk", "channels"))
    assert found.value(("recipe", "trunk", "channels")) is found.value(("recipe", "trunk")) is MISSING
    assert found.value(("recipe", "trunk", "name")) == "convnet"


def test_entries_of_a_mapping_by_themselves(home):
    found = sections(home, "family: pairs", "family: pair", file="study")
    assert found.value(("losses", "circle")) is MISSING
    assert found.value(("losses", "circle", "distance")) == "cosine"
    assert found.value(("losses", "circle", "space", "m")) == Uniform(uniform=(0.0, 1.0))
    assert found.value(("losses", "contrastive")) == WrittenLoss()
    assert found.value(("losses", "none")) is MISSING


@pytest.mark.parametrize("new", ["  contrastive:\n", "  contrastive: null\n"])
def test_no_options_are_defaults(home, new):
    found = sections(home, "  contrastive: {}\n", new, file="study")
    assert found.value(("losses", "contrastive")) is None
    assert found.value(("losses", "contrastive", "space")) is None


@pytest.mark.parametrize(("keys", "names"), [(("phases",), (0, 1)), (("batches",), ("pairs", "proxies"))])
def test_names_of_a_section(home, keys, names):
    assert sections(home, "{classes: 4, per_class: 2}\n  proxies", "{classes: x}\n  proxies").names(keys) == names


def test_names_of_what_is_no_section(home):
    found = sections(home, "categories: [aggregate, complete]", "categories: all")
    assert found.names(("categories",)) is found.names(("nothing",)) is found.names(("seed",)) is MISSING
    assert found.names(("on",)) == ()  # may be left out


def test_of_a_file_that_could_not_be_read_all_is_missing(home):
    home.protocol.write_text("- a\n- b\n")
    found = sections(home)
    assert found.value(("recipe", "resize")) is found.value(("on",)) is MISSING
    assert [problem.code for problem in found.problems] == ["type-wrong"]


def test_a_whole_section_is_the_value_of_its_model(home):
    found = sections(home, "channels: 8", "channels: 8, weights: {source: w.pth, sha256: '01234567'}")
    weights = Weights(source="w.pth", sha256="01234567")
    assert found.value(("recipe", "trunk")) == TrunkChoice(name="convnet", channels=8, weights=weights)


def test_a_list_in_place_of_a_mapping_has_no_names(home):
    """Its positions are no names of losses: rules that need those do not run."""
    text = home.study.read_text()
    start, end = text.index("losses:"), text.index("baseline:")
    home.study.write_text(f"{text[:start]}losses: [contrastive, triplet]\n{text[end:]}")
    assert sections(home, file="study").names(("losses",)) is MISSING
