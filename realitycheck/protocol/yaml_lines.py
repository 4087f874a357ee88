"""YAML text to plain data, with the line of every value; the surprising parts of YAML are refused.

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
    """Text that is not YAML, or that is nested too deeply.

    Args:
        code: the stable name of this kind of problem.
        says: what is wrong, then the fix.
    """

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code


class Reader:
    """Builds plain data from YAML events, and notes lines and problems on the way.

    After `read`: `lines` (keys → line), `problems`, `spoiled` (keys of refused values), and `line`, the last line read.
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
            reason = ", ".join(part for part in (error.context, error.problem) if part)
        except yaml.reader.ReaderError as error:
            self.line = text.count("\n", 0, error.position) + 1
            reason = f"the character U+{error.character:04X} is not allowed"
        except (OverflowError, ValueError):  # PyYAML passes on what int() and chr() raise
            reason = "unknown escape or directive"
        raise Unreadable("yaml-invalid", f"invalid YAML: {reason}. Correct this line or the one above.")

    def _document(self, text: str) -> Any:
        self._events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        data = self._node(self._next(), ())
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            says = "a second document is not allowed here: it begins after `---`. Move it to a file of its own."
            self._refuse((), "yaml-documents", says)
        return data

    def _next(self) -> yaml.Event:
        event = next(self._events)
        self.line = event.start_mark.line + 1 if event.start_mark else self.line
        return event

    def _node(self, event: yaml.Event, keys: Keys) -> Any:
        self.lines.setdefault(keys, self.line)
        if len(keys) > MAX_DEPTH:
            says = f"the nesting is out of range: must have at most {MAX_DEPTH} levels. Flatten it."
            raise Unreadable("yaml-depth", says)
        if isinstance(event, yaml.AliasEvent):
            says = f"the alias `*{event.anchor}` is not allowed here. Write the value out."
            return self._spoil(keys, "yaml-alias", says)
        if isinstance(event, _Node):
            self._check_bare(event, keys)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(keys)
        return self._scalar(event, keys) if isinstance(event, yaml.ScalarEvent) else self._sequence(keys)

    def _check_bare(self, event: _Node, keys: Keys) -> None:
        if event.anchor is not None:
            self._refuse(keys, "yaml-anchor", f"the anchor `&{event.anchor}` is not allowed here. Remove it.")
        if event.tag is not None:
            self._spoil(keys, "yaml-tag", f"the tag `{event.tag}` is not allowed here. Remove it.")

    def _mapping(self, keys: Keys) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            here = (*keys, self._key(event, keys))
            if here[-1] in entries:
                self._refuse(here, "key-duplicate", f"duplicate key (first on line {self.lines[here]}). Remove one.")
            self.lines.setdefault(here, self.line)
            entries.setdefault(str(here[-1]), self._node(self._next(), here))
        return entries

    def _key(self, event: yaml.Event, keys: Keys) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            says = "an alias or a collection is not allowed here: a key must be text. Write a name."
            raise Unreadable("yaml-key", says)
        key = self._characters(event.value, keys)
        self._check_bare(event, (*keys, key))
        if key == "<<" and event.style is None:
            self._spoil((*keys, key), "yaml-merge", "the merge key `<<` is not allowed here. Write the values out.")
        return key

    def _sequence(self, keys: Keys) -> list[Any]:
        entries: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            entries.append(self._node(event, (*keys, len(entries))))
        return entries

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
            says = f"{text[:40]} is out of range: it must be finite and fit into 64 bits."
            return self._spoil(keys, "number-too-large", says)
        return number

    def _characters(self, text: str, keys: Keys) -> str:
        clean = text.encode(errors="backslashreplace").decode()
        if clean != text:
            says = f"half a character is not allowed here: {clean[:40]!r}. Write the whole character."
            self._refuse(keys, "text-invalid", says)
        return clean

    def _spoil(self, keys: Keys, code: str, says: str) -> None:
        self.spoiled.add(keys)
        self._refuse(keys, code, says)

    def _refuse(self, keys: Keys, code: str, says: str) -> None:
        self.problems.append(Problem(self.line, ".".join(map(str, keys)), says, code))


def _number(text: str) -> int | float | None:
    """The number that a plain scalar writes; infinite where it is too long, None where it is no number."""
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 40 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.inf if _NOT_FINITE.fullmatch(text) else None
