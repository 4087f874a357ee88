"""`--until`: durations, times of day and dates."""

from __future__ import annotations

import signal
from datetime import datetime

import pytest

from realitycheck.errors import InputError
from realitycheck.verbs.work import seconds_until

NOW = datetime(2026, 11, 28, 16, 30)


@pytest.mark.parametrize("text", ["99999999999h", "9" * 400 + "s", "9999-12-31T00:00:00"])
def test_a_limit_far_away_is_one_that_a_timer_takes(text):
    before = signal.setitimer(signal.ITIMER_REAL, seconds_until(text, now=datetime(2026, 1, 1)))
    signal.setitimer(signal.ITIMER_REAL, *before)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("55m", 3300), ("1.5h", 5400), ("17:30", 3600), ("16:30", 86400), ("9:00", 59400), ("2026-11-28T16:31", 60)],
)
def test_how_long_a_worker_works(text, seconds):
    assert seconds_until(text, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("24:00", "until-invalid"),
        ("x:y", "until-invalid"),
        ("2026-11-28T16:30", "until-invalid"),
        ("0m", "until-invalid"),
        ("yesterday", "until-invalid"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(InputError) as error:
        seconds_until(text, now=NOW)
    assert [(each.where, each.code) for each in error.value.problems] == [("--until", code)]
