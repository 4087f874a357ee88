"""Calls in threads: results come in order, an exception where its result is taken, and every thread ends."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from realitycheck.training import prefetch
from realitycheck.training.prefetch import Ahead, drawn_ahead


def slow(places):
    time.sleep(0.2)
    if places.start == 9:
        raise ValueError("no keys")
    return [*places]


def test_a_result_that_is_not_done_is_waited_for():
    ahead = Ahead(slow)
    ahead.begin(range(2, 4))
    assert ahead.take(range(2, 4)) == [2, 3]
    assert ahead.take(range(2, 4)) is None


def test_results_can_be_begun_in_any_order_and_once():
    drawn = []
    ahead = Ahead(lambda places: drawn.append(places) or [*places])
    for start in (4, 0, 4, 2, 0):
        ahead.begin(range(start, start + 2))
    assert [ahead.take(range(start, start + 2)) for start in (0, 2, 4)] == [[0, 1], [2, 3], [4, 5]]
    assert len(drawn) == 3


def test_another_call_than_those_that_were_begun_drops_them():
    ahead = Ahead(slow)
    ahead.begin(range(2, 4))
    ahead.begin(range(4, 6))
    before = threading.active_count()
    assert ahead.take(range(2, 5)) is None
    assert threading.active_count() == before - 2
    assert ahead.take(range(2, 4)) is None


def test_an_exception_is_raised_once_where_the_result_is_taken():
    ahead = Ahead(slow)
    ahead.begin(range(9, 10))
    ahead.begin(range(10, 11))
    with pytest.raises(ValueError, match="no keys"):
        ahead.take(range(9, 10))
    assert ahead.take(range(10, 11)) == [10]
    assert ahead.take(range(9, 10)) is None


@pytest.mark.parametrize("start", [0, 9])
def test_no_thread_is_left(start):
    before = threading.active_count()
    ahead = Ahead(slow)
    for number in range(1, 4):
        ahead.begin(range(start, start + number))
        assert threading.active_count() == before + number
    ahead.close()
    assert threading.active_count() == before


PLACES = [range(start, start + 3) for start in range(0, 30, 3)]


@pytest.mark.parametrize("drawers", [1, 2, 4, 99])
def test_results_come_in_order_and_few_are_made_ahead(monkeypatch, drawers):
    monkeypatch.setattr(prefetch, "DRAWERS", drawers)
    begun, ahead = [], []

    def draw(places):
        begun.append(places)
        time.sleep(0.01 if places.start % 2 else 0.03)
        return [*places]

    results = []
    for result in drawn_ahead(draw, PLACES):
        results.append(result)
        ahead.append(len(begun) - len(results))
    assert results == [[*places] for places in PLACES]
    assert max(ahead) <= drawers - 1


def test_as_many_threads_draw_at_the_same_time(monkeypatch):
    monkeypatch.setattr(prefetch, "DRAWERS", 3)
    together = threading.Barrier(3, timeout=30)
    assert len([*drawn_ahead(lambda places: together.wait(), PLACES[:9])]) == 9


def test_an_iterator_that_is_closed_or_fails_leaves_no_thread():
    before = threading.active_count()
    with closing(drawn_ahead(slow, PLACES)) as results:
        assert next(results) == [0, 1, 2]
    assert threading.active_count() == before
    results = drawn_ahead(slow, PLACES)
    assert [next(results) for _ in range(3)] == [[*places] for places in PLACES[:3]]
    with pytest.raises(ValueError, match="no keys"):
        next(results)
    assert threading.active_count() == before
