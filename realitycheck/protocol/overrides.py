"""Values of a protocol that a study replaces: its key `override`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from realitycheck.errors import Problem
from realitycheck.protocol.document import Document, holds
from realitycheck.protocol.validation import nearest
from realitycheck.protocol.yaml_lines import Keys

KEY = "override"

FIXED = ("protocol", "summary")
"""What names and describes a protocol; a study that replaces values prints them beside it."""


def overridden(study: Document, protocol: Document) -> tuple[Document, Document]:
    """Replace the values of a protocol's file that the study's file overrides.

    Returns:
        The study's file, with a problem for each override that has no place in the protocol, and the protocol's file
        with the values of the others.
    """
    if protocol.is_spoiled(()):  # every override would be unknown to a protocol that cannot be read
        return study, protocol
    problems: list[Problem] = []
    data = copy.deepcopy(protocol.data)
    for name, value in overrides(study).items():
        if problem := _problem(study, name, data):
            problems.append(problem)
        else:
            _replace(data, _keys(name), value)
    return replace(study, problems=(*study.problems, *problems)), replace(protocol, data=data)


def overrides(study: Document) -> dict[str, Any]:
    """The dotted key of a value of the protocol → the value that replaces it."""
    written = study.get((KEY,), dict) or {}
    return {name: value for name, value in written.items() if not study.is_spoiled((KEY, name))}


def override_at(study: Document, where: str) -> Keys | None:
    """Where the study's file replaces the value at a dotted path of the protocol, or a value that holds it; or None."""
    inner = (name for name in overrides(study) if where == name or where.startswith(f"{name}."))
    name = next(inner, None)
    return None if name is None else (KEY, name)


def _problem(study: Document, name: str, data: Any) -> Problem | None:
    """What is wrong with the key of an override."""
    if name.partition(".")[0] in FIXED:
        says = f"`{name}` is not allowed here: it describes the protocol's file. Remove it."
        return study.lines.problem((KEY, name), "override-fixed", says)
    if other := next((other for other in overrides(study) if name.startswith(f"{other}.")), None):
        says = f"`{name}` is not allowed here: `{other}` replaces it as well. Write it inside `{other}`."
        return study.lines.problem((KEY, name), "override-twice", says)
    if (wrong := _unknown(data, _keys(name))) is not None:
        return study.lines.problem((KEY, name), "override-unknown", wrong)
    return None


def _unknown(data: Any, keys: Keys) -> str | None:
    """What is unknown on the way to a value; whether a mapping may have the last key is for the schema to say."""
    for place, key in enumerate(keys):
        if isinstance(data, dict) and place == len(keys) - 1:
            return None
        if not holds(data, key):
            known = [".".join(map(str, (*keys[:place], one))) for one in _held(data)]
            path = ".".join(map(str, keys[: place + 1]))
            return f"unknown key '{path}' of the protocol. {nearest(path, known)}"
        data = data[key]
    return None


def _held(data: Any) -> Iterator[str | int]:
    if isinstance(data, dict):
        yield from data
    elif isinstance(data, list):
        yield from range(len(data))


def _replace(data: Any, keys: Keys, value: Any) -> None:
    for key in keys[:-1]:
        data = data[key]
    data[keys[-1]] = value


def _keys(name: str) -> Keys:
    """The keys of a dotted path; positions in lists are numbers, as in `phases.0.cap`."""
    return tuple(int(part) if part.isdecimal() and part.isascii() else part for part in name.split("."))
