"""YAML text to plain data, with the line of every value. Whatever YAML could surprise with is refused.

Numbers and booleans follow YAML 1.2 (https://yaml.org/spec/1.2.2/, core schema): `1e-4` is a number, `no` is
text, `010` is ten. Anchors, aliases, tags, merge keys, repeated keys and infinite numbers are problems.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import yaml

from realitycheck.errors import Problem

MAX_DEPTH = 32
"""Levels of nesting; a study has six. It bounds the recursion below."""

MAX_INTEGER = 2**63 - 1
"""The largest whole number that every reader of JSON keeps."""

Keys = tuple[str | int, ...]
"""The way to a value: mapping keys and list positions."""

_Node: TypeAlias = yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Unreadable(Exception):
    """Text that is no YAML, or that nests too deep; the message says what must hold."""


class Reader:
    """Builds plain data from YAML events, and notes lines and problems on the way.

    After `read`: `lines` (keys → line), `problems`, `spoiled` (keys whose values were refused), and `line`,
    where it stopped.
    """

    def __init__(self) -> None:
        self.lines: dict[Keys, int] = {}
        self.problems: list[Problem] = []
        self.spoiled: set[Keys] = set()
        self.line = 0
        self._events: Iterator[yaml.Event] = iter(())

    def read(self, text: str) -> Any:
        """The data of the one document in the text.

        Raises:
            Unreadable: there is none; `line` says where it went wrong.
        """
        try:
            return self._document(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.line = mark.line + 1 if mark else self.line
            reason = "an error " + ", ".join(part for part in (error.context, error.problem) if part)
        except yaml.reader.ReaderError as error:
            self.line = text.count("\n", 0, error.position) + 1
            reason = f"a character that is not allowed, U+{error.character:04X}"
        except (OverflowError, ValueError):  # PyYAML passes on what int() and chr() raise
            reason = "an escape or a directive that means nothing"
        raise Unreadable(f"must be YAML; got {reason}. Mend this line or the one above.")

    def _document(self, text: str) -> Any:
        self._events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        data = self._node(self._next(), ())
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            self._refuse((), "must hold one document; got a second one after `---`. Give it a file of its own.")
        return data

    def _next(self) -> yaml.Event:
        event = next(self._events)
        self.line = event.start_mark.line + 1 if event.start_mark else self.line
        return event

    def _node(self, event: yaml.Event, keys: Keys) -> Any:
        self.lines.setdefault(keys, self.line)
        if len(keys) > MAX_DEPTH:
            raise Unreadable(f"must have at most {MAX_DEPTH} levels; got more. Flatten it.")
        if isinstance(event, yaml.AliasEvent):
            return self._spoil(keys, f"must be a value; got the alias `*{event.anchor}`. Write the value out.")
        if isinstance(event, _Node):
            self._check_bare(event, keys)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(keys)
        return self._scalar(event, keys) if isinstance(event, yaml.ScalarEvent) else self._sequence(keys)

    def _check_bare(self, event: _Node, keys: Keys) -> None:
        if event.anchor is not None:
            self._refuse(keys, f"must be a plain value; got the anchor `&{event.anchor}`. Remove it.")
        if event.tag is not None:
            self._spoil(keys, f"must be a plain value; got the tag `{event.tag}`. Remove it.")

    def _mapping(self, keys: Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            here = (*keys, self._key(event, keys))
            if here[-1] in found:
                says = f"must stand once; got it again, after line {self.lines[here]}. Remove one of them."
                self._refuse(here, says)
            self.lines.setdefault(here, self.line)
            found.setdefault(str(here[-1]), self._node(self._next(), here))
        return found

    def _key(self, event: yaml.Event, keys: Keys) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise Unreadable("must have text before each colon; got an alias or a collection. Write a name.")
        key = self._characters(event.value, keys)
        self._check_bare(event, (*keys, key))
        if key == "<<" and event.style is None:
            self._spoil((*keys, key), "must be a name; got the merge key `<<`. Write the values out.")
        return key

    def _sequence(self, keys: Keys) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._node(event, (*keys, len(found))))
        return found

    def _scalar(self, event: yaml.ScalarEvent, keys: Keys) -> Any:
        text = self._characters(event.value, keys)
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        number = _number(text)
        if number is None:
            return text
        if not math.isfinite(number) or (isinstance(number, int) and abs(number) > MAX_INTEGER):
            return self._spoil(keys, f"must be a number that fits 64 bits; got {text[:40]}. Write a smaller one.")
        return number

    def _characters(self, text: str, keys: Keys) -> str:
        clean = text.encode(errors="backslashreplace").decode()
        if clean != text:
            self._refuse(keys, f"must be Unicode text; got half a character in {clean[:40]!r}. Write it whole.")
        return clean

    def _spoil(self, keys: Keys, says: str) -> None:
        self.spoiled.add(keys)
        self._refuse(keys, says)

    def _refuse(self, keys: Keys, says: str) -> None:
        self.problems.append(Problem(self.line, ".".join(map(str, keys)), says))


def _number(text: str) -> int | float | None:
    """The number that a plain scalar writes; infinite where it is too long, None where it is no number."""
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 40 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.inf if _NOT_FINITE.fullmatch(text) else None
