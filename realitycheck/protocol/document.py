"""One file as plain data that remembers where each value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.yaml_lines import Keys, Reader, Unreadable

MAX_BYTES = 1 << 20
"""The largest file that is read; a promise of a thousand losses is smaller."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lines:
    """Where every value of a file stands: keys → 1-based line."""

    at: Mapping[Keys, int] = field(default_factory=dict)

    def of(self, keys: Keys) -> int:
        """The line of a value, or of the nearest value that holds it; 0 in a file without any."""
        known = (self.at[keys[:length]] for length in range(len(keys), -1, -1) if keys[:length] in self.at)
        return next(known, 0)

    def problem(self, keys: Keys, says: str) -> Problem:
        """A problem at these keys."""
        return Problem(self.of(keys), ".".join(map(str, keys)), says)


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read.

    Args:
        source: the file's name, for messages.
        path: where it lies.
        text: what stands in it, character for character.
        data: plain values: dict, list, str, int, float, bool, None.
        lines: where each value stands.
        problems: what YAML itself had to refuse.
        spoiled: the values that those problems concern; no later check looks at them.
    """

    source: str
    path: Path
    text: str
    data: Any
    lines: Lines
    problems: tuple[Problem, ...]
    spoiled: frozenset[Keys]

    def get(self, keys: Keys, kind: type[T]) -> T | None:
        """The value at these keys, or None where there is none of that type."""
        value = self.data
        for key in keys:
            if not holds(value, key):
                return None
            value = value[key]
        return value if isinstance(value, kind) else None

    def is_spoiled(self, keys: Keys) -> bool:
        """Whether a value, or one that holds it, was refused already."""
        return any(keys[:length] in self.spoiled for length in range(len(keys) + 1))


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[T]):
    """What a file says, and where.

    Args:
        value: the frozen value; where there are problems, what is sound of it.
        document: the file: its path, name, text, and where each value stands.
        problems: all that is wrong with the file by itself.
    """

    value: T
    document: Document
    problems: tuple[Problem, ...]


def empty_document(path: Path, *, source: str) -> Document:
    """A file of which nothing could be read."""
    return Document(source, path, "", None, Lines(), (), frozenset())


def holds(value: object, key: str | int) -> bool:
    """Whether a mapping has this key, or a list this position."""
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key in range(len(value))


def read_document(path: Path, *, source: str) -> Document:
    """Read one YAML file.

    Raises:
        InputError: it cannot be opened, is too large or too deep, or is no YAML. What it can go on after is
            among the document's problems instead.
    """
    text, reader = _text(path, source), Reader()
    try:
        data = reader.read(text)
    except Unreadable as error:
        fatal = Problem(reader.line, "", str(error))
        raise InputError(source, [*reader.problems, fatal]) from None
    problems, spoiled = tuple(reader.problems), frozenset(reader.spoiled)
    return Document(source, path, text, data, Lines(reader.lines), problems, spoiled)


def _text(path: Path, source: str) -> str:
    raw = _bytes(path, source)
    if len(raw) > MAX_BYTES:
        says = f"must be at most {MAX_BYTES} bytes; got more. Shorten it, or name another file."
        raise InputError(source, [Problem(0, "", says)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        says = f"must be UTF-8 text; got byte 0x{error.object[error.start]:02x}. Save the file as UTF-8."
        raise InputError(source, [Problem(raw.count(b"\n", 0, error.start) + 1, "", says)]) from None


def _bytes(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        says = f"must be a file that can be read; got: {reason}. Correct the path."
        raise InputError(source, [Problem(0, "", says)]) from None
