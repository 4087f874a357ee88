"""Images that a few threads draw ahead on the CPU while a GPU computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Generic, NamedTuple, TypeVar

Drawn = TypeVar("Drawn")

DRAWERS = min(4, os.cpu_count() or 1)
"""Calls that are begun before their results are taken, each in a thread.

A thread that draws holds the interpreter lock for 5 to 9 % of its time, because torch's operations run without it:
sampled every 100 µs for crops of 227 pixels, RandAugment at 224, and central squares. So the lock does not call for
processes. What four threads gain in time was not measured; see docs/gpu.md.
"""


class _Call(NamedTuple, Generic[Drawn]):
    thread: Thread
    result: Future[Drawn]


class Ahead(Generic[Drawn]):
    """Calls for ranges that run in threads, and their results.

    A thread lives as long as its one call: nothing is left when a run ends, and the interpreter waits for it.

    Args:
        draw: what is called with a range, in several threads at once.
    """

    def __init__(self, draw: Callable[[range], Drawn]) -> None:
        self._draw = draw
        self._begun: dict[range, _Call[Drawn]] = {}

    def begin(self, places: range) -> None:
        """Begin to draw these places, unless that was begun."""
        if places not in self._begun:
            result: Future[Drawn] = Future()
            thread = Thread(target=self._work, args=(places, result), name=f"draws from {places.start}")
            thread.start()
            self._begun[places] = _Call(thread, result)

    def take(self, places: range) -> Drawn | None:
        """Return what was begun for these places, and wait where it is not done.

        Where nothing was begun for them, return None; what was begun for others is waited for and dropped.

        Raises:
            BaseException: what the call raised.
        """
        call = self._begun.pop(places, None)
        if call is None:
            self.close()
            self._begun.clear()
            return None
        call.thread.join()
        return call.result.result()

    def close(self) -> None:
        """Wait for the end of all threads."""
        for call in self._begun.values():
            call.thread.join()

    def _work(self, places: range, result: Future[Drawn]) -> None:
        try:
            result.set_result(self._draw(places))
        except BaseException as error:  # raised again where the result is taken
            result.set_exception(error)


def drawn_ahead(draw: Callable[[range], Drawn], places: Sequence[range]) -> Generator[Drawn, None, None]:
    """Iterate over the results of calls for these places, `DRAWERS` of which are begun ahead.

    No thread is left when the iterator is closed.
    """
    calls = Ahead(draw)
    try:
        for number, place in enumerate(places):
            for following in places[number : number + DRAWERS]:
                calls.begin(following)
            drawn = calls.take(place)
            assert drawn is not None
            yield drawn
    finally:
        calls.close()
