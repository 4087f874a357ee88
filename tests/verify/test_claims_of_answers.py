"""The verdicts that `verify` reads out of the sentences of a report."""

from __future__ import annotations

import pytest

from realitycheck.verify.checks import Checks
from realitycheck.verify.derived_effects import check_shared
from realitycheck.verify.sentences import check_answers

VERDICTS = {"sigmoid": "worse", "tanh": "worse", "warp": "undecided", "log": "undecided"}
SAID = (
    "2 of 4 losses are worse than identity (reconstruction): sigmoid (reconstruction) and tanh (reconstruction). "
    "2 of 4 losses are undecided against identity (reconstruction): warp (reconstruction) and log (reconstruction)."
)


def problems(said: str) -> list[str]:
    checks = Checks()
    own = {"comparisons": [{"label": label, "verdict": word, "detectable": None} for label, word in VERDICTS.items()]}
    reported = {"answers": {"What differs?": said}, "answer": said}
    check_answers({**own, "against_untrained": None}, reported, "tables.json", checks, primary=("complete", "map_at_r"))
    return [problem.says.split(",")[0] for problem in checks.problems]


def test_a_sentence_that_begins_with_a_number_is_one_of_its_own():
    assert problems(SAID) == []
    assert problems(SAID.replace("are worse", "are better")) == ["it calls sigmoid better", "it calls tanh better"]


def test_means_below_an_untrained_model_are_counted_again():
    gains = {"untrained trunk": [{"label": label, "mean": mean, "verdict": "undecided"} for label, mean in LOWER]}
    own = {"comparisons": [], "against_untrained": {"gains": gains}}

    def codes(tail: str) -> list[str]:
        checks = Checks()
        answer = f"0 of 2 losses are better than the untrained trunk; undecided: warp and log.{tail}"
        reported = {"answers": {}, "answer": "", "against_untrained": {"answer": answer}}
        check_answers(own, reported, "tables.json", checks, primary=("complete", "map_at_r"))
        return [problem.code for problem in checks.problems]

    assert codes(" All 2 means are lower, by 1.23 to 10.00 points.") == []
    assert codes("") == ["sentence-differs"]
    assert codes(" All 2 means are lower, by 1.24 to 10.00 points.") == ["sentence-differs"]
    assert codes(" All 3 means are lower, by 1.23 to 10.00 points.") == ["sentence-differs"]


LOWER = [("warp", -0.0123), ("log", -0.1)]


@pytest.mark.parametrize(("late", "right"), [(0, None), (1, None), (2, "2 of 4"), (3, "3 of 4"), (4, "All 4")])
def test_the_number_of_exploratory_losses_is_counted_again(late, right):
    rows = [{"exploratory": place < late, "cells": []} for place in range(4)]
    own = {"comparisons": [], "against_untrained": None, "rows": rows}

    def holds(said: str | None) -> bool:
        answer = f"{said} losses are exploratory: they were decided late." if said else ""
        reported, checks = {"answers": {"What was decided afterwards?": answer}, "answer": answer}, Checks()
        check_answers(own, reported, "tables.json", checks, primary=("complete", "map_at_r"))
        return not checks.problems

    for said in (None, "1 of 4", "2 of 4", "3 of 4", "All 4", "All 3"):
        assert holds(said) == (said == right)


def test_one_verdict_of_more_than_three_losses_is_said_without_their_names():
    def codes(said: str, verdicts: str) -> list[str]:
        gains = [
            {"label": name, "mean": 0.01, "verdict": word} for name, word in zip("abcd", verdicts.split(), strict=False)
        ]
        own = {"comparisons": [], "against_untrained": {"gains": {"untrained trunk": gains}}}
        better, total = verdicts.split().count("better"), len(gains)
        answer = f"{better} of {total} losses are better than the untrained trunk; {said}."
        reported, checks = {"answers": {}, "answer": "", "against_untrained": {"answer": answer}}, Checks()
        check_answers(own, reported, "tables.json", checks, primary=("complete", "map_at_r"))
        return [problem.code for problem in checks.problems]

    assert codes("undecided: all 4", "undecided undecided undecided undecided") == []
    assert codes("undecided: a, b, c and d", "undecided undecided undecided undecided") == ["sentence-differs"]
    assert codes("undecided: all 4", "undecided undecided undecided better") == ["sentence-differs"]
    assert codes("undecided: a, b and c", "undecided undecided undecided better") == []
    assert codes("undecided: a, b and c", "undecided undecided undecided") == []


def test_the_means_of_searches_are_read_out_of_their_sentence():
    own = {"losses": 3, "means": [0.2904, 0.28155], "sd": 0.00626, "by_chance": 0.003}

    def codes(said: str) -> list[str]:
        checks = Checks()
        check_shared(own, {"sentence": said}, "tables.json", checks)
        return [problem.code for problem in checks.problems]

    right = "Searches 1 and 2 have a mean complete-512 MAP@R of 29.04 and 28.16 over 3 losses: 0.63 points, about 0.30."
    assert codes(right) == codes(right.replace("28.16", "28.15")) == []  # 28.155 may be printed as either
    for old, new in (
        ("29.04", "29.05"),
        ("0.63", "0.64"),
        ("0.30", "0.31"),
        ("3 losses", "4 losses"),
        (" and 28.16", ""),
    ):
        assert codes(right.replace(old, new)) == ["sentence-differs"]
