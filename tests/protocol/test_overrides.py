"""`override:` in a study is the protocol's file with other values."""

from __future__ import annotations

import pytest
from small_study import PROTOCOL, STUDY, write_study

from realitycheck.errors import InputError
from realitycheck.protocol.read import parse_files, read_study
from realitycheck.verbs.study import check_study, open_packed, open_study

SHORTER = (
    STUDY + "override: {search.trials: 2, final.seeds: 4, phases.0.cap: 20, recipe.augment: {shift: 1, flip: 0}}\n"
)
EDITED = (
    PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 2, startup_trials: 2")
    .replace("seeds: 2", "seeds: 4")
    .replace("cap: 30", "cap: 20")
    .replace("{shift: 2, flip: 0.5}", "{shift: 1, flip: 0}")
)
"""The protocol's file with the same values, by hand."""


def test_it_equals_an_edited_file(tmp_path):
    study = read_study(write_study(tmp_path / "a", study=SHORTER)).study
    by_hand = read_study(write_study(tmp_path / "b", protocol=EDITED)).study
    assert study.protocol == by_hand.protocol
    assert study.override == {
        "search.trials": 2,
        "final.seeds": 4,
        "phases.0.cap": 20,
        "recipe.augment": {"shift": 1, "flip": 0},
    }


def test_a_packed_study_has_it_too(tmp_path):
    path = write_study(tmp_path, study=SHORTER)
    assert open_packed(path, read_study(path).texts()).study == open_study(path).study
    assert parse_files(path, read_study(path).texts()).protocol.get(("search", "trials"), int) == 2


def test_the_name_says_what_is_replaced(tmp_path):
    plain = read_study(write_study(tmp_path / "a")).study
    other = read_study(write_study(tmp_path / "b", study=STUDY + "override: {final.seeds: 4}\n")).study
    assert (plain.protocol_name, other.protocol_name) == ("tiny", "tiny with final.seeds: 4")


def test_a_key_that_the_file_leaves_out_can_be_added(tmp_path):
    study = read_study(write_study(tmp_path, study=STUDY + "override: {search.searches: 2}\n")).study
    assert study.protocol.search.searches == 2


@pytest.mark.parametrize(
    ("override", "where", "code"),
    [
        ("{serach.trials: 2}", "override.serach.trials", "override-unknown"),
        ("{phases.1.cap: 2}", "override.phases.1.cap", "override-unknown"),
        ("{seed.x: 2}", "override.seed.x", "override-unknown"),
        ("{protocol: other}", "override.protocol", "override-fixed"),
        ("{summary: other}", "override.summary", "override-fixed"),
        ("{final: {seeds: 2, complete: per_replicate}, final.seeds: 4}", "override.final.seeds", "override-twice"),
        # What the schema and the rules of `check` find in a value is at the override, too.
        ("{search.trails: 2}", "override.search.trails", "key-unknown"),
        ("{search.trials: 0}", "override.search.trials", "value-range"),
        ("{final: {seeds: 0, complete: per_replicate}}", "override.final", "value-range"),
        ("{search.searches: 2, final.seeds: 3}", "override.final.seeds", "seeds-not-multiple"),
        ("{search.space: v9}", "override.search.space", "space-unknown"),
        ("{}", "override", "entries-range"),
        ("[search.trials]", "override", "type-wrong"),
    ],
)
def test_a_wrong_one_is_reported_at_its_line_of_the_study(tmp_path, override, where, code):
    path = write_study(tmp_path, study=STUDY + f"override: {override}\n")
    with pytest.raises(InputError) as caught:
        check_study(path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.where, problem.code) == (STUDY.count("\n") + 1, where, code)
