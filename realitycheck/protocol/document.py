"""One file as plain data that remembers the line of each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.yaml_lines import Keys, Reader, Unreadable

MAX_BYTES = 1 << 20
"""The largest file that is read; a study of a thousand losses is smaller."""

GZIP = b"\x1f\x8b"
"""How a packed ledger begins, which `verify` takes in the place of a study's file."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, before it has a line.

    Args:
        code: the stable name of this kind of problem.
        says: what is wrong, then the fix.
        keys: the way to the value, from the value that was examined; empty for that value itself.
    """

    code: str
    says: str
    keys: Keys = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """The 1-based line of every value of a file, by keys."""

    at: Mapping[Keys, int] = field(default_factory=dict)

    def of(self, keys: Keys) -> int:
        """The line of a value, or of the nearest value that holds it; 0 in a file without any."""
        known = (self.at[keys[:length]] for length in range(len(keys), -1, -1) if keys[:length] in self.at)
        return next(known, 0)

    def problem(self, keys: Keys, code: str, says: str) -> Problem:
        """A problem at these keys."""
        return Problem(self.of(keys), ".".join(map(str, keys)), says, code)


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read.

    Args:
        source: the file's name, for messages.
        path: of the file.
        text: its content, character for character.
        data: plain values: dict, list, str, int, float, bool, None.
        lines: of its values.
        problems: what YAML itself had to refuse.
        spoiled: the values that those problems concern; no later check reads them.
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


def unread(path: Path, *, source: str, problems: tuple[Problem, ...] = ()) -> Document:
    """A file of which nothing could be read: every value of it counts as refused."""
    return Document(source, path, "", None, Lines(), problems, frozenset({()}))


def holds(value: object, key: str | int) -> bool:
    """Whether a mapping has this key, or a list this position."""
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key in range(len(value))


def read_document(path: Path, *, source: str) -> Document:
    """Read one YAML file.

    Raises:
        InputError: it cannot be opened, is too large or too deep, or is not YAML. Problems that leave the rest
            readable are among the document's instead.
    """
    return parse_document(_text(path, source), path, source=source)


def parse_document(text: str, path: Path, *, source: str) -> Document:
    """Read the text of one YAML file; `path` is where the file is, or was.

    Raises:
        InputError: as `read_document`.
    """
    reader = Reader()
    try:
        data = reader.read(text)
    except Unreadable as error:
        raise InputError(source, [*reader.problems, Problem(reader.line, "", str(error), error.code)]) from None
    problems, spoiled = tuple(reader.problems), frozenset(reader.spoiled)
    return Document(source, path, text, data, Lines(reader.lines), problems, spoiled)


def _text(path: Path, source: str) -> str:
    raw = _bytes(path, source)
    if len(raw) > MAX_BYTES:
        says = f"the file is out of range: must have at most {MAX_BYTES} bytes. Shorten it, or name another file."
        raise InputError.one(source, "file-too-large", says)
    if raw.startswith(GZIP):
        says = "a compressed file is not allowed here: must be YAML. Name the study's file, such as studies/demo.yaml."
        raise InputError.one(source, "file-encoding", says)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        says = (
            f"byte 0x{error.object[error.start]:02x} is not allowed here: must be UTF-8 text. Save the file as UTF-8."
        )
        raise InputError.one(source, "file-encoding", says, line=raw.count(b"\n", 0, error.start) + 1) from None


def _bytes(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        other = _other(path) if isinstance(error, FileNotFoundError) else ""
        says = f"cannot read the file: {reason}. {other or 'Check the path and its permissions.'}"
        raise InputError.one(source, "file-unreadable", says) from None


def _other(path: Path) -> str:
    """The file beside a path that was probably meant; empty where there is none."""
    try:
        known = [one.stem for one in path.parent.glob("*.yaml")]
    except OSError:
        return ""
    close = get_close_matches(path.stem, known, n=1)
    return f"Did you mean '{close[0]}.yaml' there?" if close else ""
