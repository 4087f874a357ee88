"""The sentence on the difference that could be found has the sizes of the records."""

from __future__ import annotations

import pytest

from realitycheck.verify.checks import Checks
from realitycheck.verify.sentences import _check_sizes

WANTED = {
    "a": {"verdict": "undecided", "detectable": 0.0123},
    "b": {"verdict": "better", "detectable": 0.02},
    "c": {"verdict": "undecided", "detectable": None},
    "d": {"verdict": None, "detectable": 0.5},
}
"""Shares of one; `c` has no standard error, and `d` no verdict."""


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("differs from x by 1.23 (a) to 2.00 points (b) is called better", True),
        ("differs from x by 1.33 (a) to 2.00 points (b) is called better", False),
        ("differs from x by 1.23 (a) to 2.10 points (b) is called better", False),
        ("", False),
    ],
)
def test_sizes_are_those_of_the_records(text, holds):
    checks = Checks()
    _check_sizes(text, WANTED, "sensitivity", checks)
    assert [problem.code for problem in checks.problems] == ([] if holds else ["sentence-differs"])


@pytest.mark.parametrize(("text", "holds"), [("", True), ("differs from x by 1.00 points is called better", False)])
def test_no_size_is_said_where_none_can_be_found(text, holds):
    checks = Checks()
    _check_sizes(text, {"c": WANTED["c"]}, "sensitivity", checks)
    assert [problem.code for problem in checks.problems] == ([] if holds else ["sentence-differs"])
