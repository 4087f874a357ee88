"""What is sound of a wrong file is kept; what is wrong is neither replaced nor read as if it had not been given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from realitycheck.errors import Problem
from realitycheck.protocol.base import Promise
from realitycheck.protocol.document import Document, read_document
from realitycheck.protocol.salvage import NOTHING, passing_gaps, sound_part, untold, without
from realitycheck.protocol.space import Range, Uniform


class Part(Promise):
    count: Annotated[int, Field(ge=1)]
    name: str | None = None


class Whole(Promise):
    part: Part
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = ()
    ranges: dict[str, Range] | None = None
    maybe: Part | None = None


def document(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return read_document(path, source="a.yaml")


class TestSoundPart:
    def test_what_fits_is_the_value_itself(self):
        assert sound_part(Part, {"count": 2}) == Part(count=2)

    def test_an_unknown_key_is_left_out(self):
        assert sound_part(Whole, {"part": {"count": 2, "cuont": 3}}).part.count == 2

    @pytest.mark.parametrize("wrong", [{"count": "2", "name": "a"}, {"count": 0, "name": "a"}, {"name": "a"}])
    def test_a_wrong_or_missing_value_is_no_attribute(self, wrong):
        found = sound_part(Whole, {"part": wrong}).part
        assert found.name == "a"
        with pytest.raises(AttributeError):
            _ = found.count

    def test_a_wrong_value_is_not_read_as_its_default(self):
        found = sound_part(Part, {"count": 2, "name": 3})
        assert found.count == 2
        with pytest.raises(AttributeError):
            _ = found.name

    def test_of_a_mapping_the_right_entries_are_kept(self):
        found = sound_part(Whole, {"ranges": {"a": {"uniform": [0, 1]}, "b": {"uniform": [1, 0]}, "c": NOTHING}})
        assert found.ranges == {"a": Uniform(uniform=(0.0, 1.0))}

    def test_a_list_is_kept_while_each_element_has_sound_parts(self):
        found = sound_part(Whole, {"parts": [{"count": 1}, {"count": "x", "name": "b"}]}).parts
        assert (found[0].count, found[1].name) == (1, "b")

    @pytest.mark.parametrize("wrong", [[], [3, {"count": 1}], 3])
    def test_a_list_that_is_too_short_or_holds_something_else_is_lost(self, wrong):
        assert "parts" not in vars(sound_part(Whole, {"parts": wrong}))

    def test_nothing_fits_nowhere(self):
        found = sound_part(Whole, dict.fromkeys(Whole.model_fields, NOTHING))
        assert vars(found) == {}

    def test_what_is_no_mapping_has_no_parts(self):
        with pytest.raises(ValidationError):
            sound_part(Whole, 3)


class TestWithout:
    @pytest.mark.parametrize(
        ("where", "data"),
        [
            ("name", {"name": NOTHING, "losses": {"a": {"loss": "b"}}, "shared": {"lr": {"uniform": [-1, 1]}}}),
            ("losses.a", {"name": "x", "losses": {"a": NOTHING}, "shared": {"lr": {"uniform": [-1, 1]}}}),
            ("shared.lr", {"name": "x", "losses": {"a": {"loss": "b"}}, "shared": {"lr": NOTHING}}),
            # missing, so nothing there may be read as a default
            ("losses.a.root", {"name": "x", "losses": {"a": {"loss": "b", "root": NOTHING}}, "shared": ...}),
            # a section that lacks something keeps the rest
            ("shared", {"name": "x", "losses": {"a": {"loss": "b"}}, "shared": ...}),
        ],
    )
    def test_the_place_of_a_problem_fits_nowhere(self, tmp_path, where, data):
        before = document(tmp_path, "name: x\nlosses: {a: {loss: b}}\nshared: {lr: {uniform: [-1, 1]}}\n")
        after = without(before, [Problem(1, where, "must be other.")])
        shared = data["shared"]
        assert after.data == data | {"shared": {"lr": {"uniform": [-1, 1]}} if shared is ... else shared}
        assert before.data["name"] == "x"

    def test_an_option_that_the_menu_makes_superfluous_is_removed(self, tmp_path):
        before = document(tmp_path, "datasets: {sketches: {root: x}}\n")
        assert without(before, [Problem(1, "datasets.sketches.root", "must be left out.")]).data == {
            "datasets": {"sketches": {}}
        }

    def test_what_yaml_refused_is_not_read_as_null(self, tmp_path):
        assert without(document(tmp_path, "a: *x\nb: [1, *x]\n"), []).data == {"a": NOTHING, "b": [1, NOTHING]}


def test_of_a_range_with_wrong_bounds_no_check_says_more():
    schema = [Problem(1, "losses.a.space.lr.log_uniform", "low must lie above 0")]
    checks = [Problem(1, "losses.a.space.lr", "must be positive"), Problem(1, "losses.a", "must be on the menu")]
    assert untold(checks, schema) == checks[1:]


def test_only_a_gap_is_passed():
    with passing_gaps():
        _ = sound_part(Part, {}).count
    with pytest.raises(AttributeError), passing_gaps():
        _ = "text".count_of_nothing
