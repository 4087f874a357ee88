"""How `RemoteExecutor` reaches nodes: hosts, calls, and bytes that every node can get."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any


class HostLost(Exception):
    """A host is gone, with its node or alone."""


class HostFailed(Exception):
    """A host could not do what it was asked, such as write a file; its traceback is the message."""


class Transport(ABC):
    """How to reach nodes. Handles of hosts and of calls are its own; none of its methods but `put` takes long."""

    @abstractmethod
    def start(self, *, device: str | None) -> Any:
        """Ask for a host as `NodeHost` is built; it may wait for room on a node."""

    @abstractmethod
    def call(self, host: Any, method: str, *values: Any, **named: Any) -> Hashable:
        """Ask a host, and return a handle of its answer. Calls of one host are answered in their order."""

    @abstractmethod
    def done(self, calls: Sequence[Hashable], *, seconds: float) -> Sequence[Hashable]:
        """Return the calls that are answered or lost; waits for the first at most this number of seconds."""

    @abstractmethod
    def result(self, call: Hashable) -> Any:
        """Return the answer of a call of `done`.

        Raises:
            HostLost: the host is gone.
            HostFailed: it could not do it.
        """

    @abstractmethod
    def put(self, chunk: bytes) -> Any:
        """Make bytes available to all nodes, and return what hosts get as an argument in their place."""

    @abstractmethod
    def end(self, host: Any) -> None:
        """End a host at once, and its jobs with it."""

    @abstractmethod
    def close(self) -> None:
        """Leave."""
