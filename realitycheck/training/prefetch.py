"""Blocks of batches that a thread draws on the CPU while a GPU computes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

Drawn = TypeVar("Drawn")


class Ahead(Generic[Drawn]):
    """At most one call that runs in a thread of its own, and its result.

    A thread lives as long as its one call: nothing is left when a run ends, and the interpreter waits for it.

    Args:
        draw: what is called with a range of iterations and the name of a view.
    """

    def __init__(self, draw: Callable[[range, str], Drawn]) -> None:
        self._draw = draw
        self._asked: tuple[range, str] | None = None
        self._thread: Thread | None = None
        self._drawn: list[Drawn] = []
        self._error: BaseException | None = None

    def begin(self, iterations: range, view: str) -> None:
        """Begin to draw; what was begun before is waited for and dropped."""
        self.close()
        self._asked, self._drawn, self._error = (iterations, view), [], None
        self._thread = Thread(target=self._work, name=f"draws {view} {iterations.start}")
        self._thread.start()

    def take(self, iterations: range, view: str) -> Drawn | None:
        """Return what was begun with these arguments, or None where it was another; wait where it is not done.

        Raises:
            BaseException: what the call raised.
        """
        if self._asked != (iterations, view):
            return None
        self.close()
        self._asked, error = None, self._error
        if error is not None:
            raise error
        return self._drawn.pop()

    def close(self) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        try:
            self._drawn.append(self._draw(*self._asked))  # type: ignore[misc]
        except BaseException as error:  # raised again where the block is taken
            self._error = error
