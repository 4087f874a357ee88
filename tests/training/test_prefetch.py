"""A call in a thread: it is waited for, its exception is raised where its result is taken, and it ends."""

from __future__ import annotations

import threading
import time

import pytest

from realitycheck.training.prefetch import Ahead


def slow(iterations, view):
    time.sleep(0.2)
    if view == "keys":
        raise ValueError("no keys")
    return [view, *iterations]


def test_a_result_that_is_not_done_is_waited_for():
    ahead = Ahead(slow)
    ahead.begin(range(2, 4), "batch")
    assert ahead.take(range(2, 4), "batch") == ["batch", 2, 3]
    assert ahead.take(range(2, 4), "batch") is None


def test_another_call_than_the_one_that_was_begun_has_no_result():
    ahead = Ahead(slow)
    ahead.begin(range(2, 4), "batch")
    assert ahead.take(range(2, 5), "batch") is None
    assert ahead.take(range(2, 4), "batch") == ["batch", 2, 3]


def test_an_exception_is_raised_once_where_the_result_is_taken():
    ahead = Ahead(slow)
    ahead.begin(range(1), "keys")
    with pytest.raises(ValueError, match="no keys"):
        ahead.take(range(1), "keys")
    assert ahead.take(range(1), "keys") is None


@pytest.mark.parametrize("view", ["batch", "keys"])
def test_no_thread_is_left(view):
    before = threading.active_count()
    ahead = Ahead(slow)
    for number in range(3):
        ahead.begin(range(number), view)
        assert threading.active_count() == before + 1
    ahead.close()
    assert threading.active_count() == before
