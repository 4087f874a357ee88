"""What is sound in a file that is wrong, so that the later layers can look at it and all problems are told at once.

A value made here lacks what did not fit: it has no such attribute, and a look that needs it finds nothing. Only `check`
may look at such values, and it gives none of them on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from realitycheck.errors import Problem
from realitycheck.protocol.base import Promise
from realitycheck.protocol.document import Document, holds
from realitycheck.protocol.schema import arms
from realitycheck.protocol.space import RANGES
from realitycheck.protocol.yaml_lines import Keys

NOTHING: list[list[str]] = [[]]
"""A value that fits nowhere. It takes the place of what was refused: nothing at all would mean a default."""

ENTRIES: tuple[Keys, ...] = (("losses",), ("datasets",))
"""Mappings of a study whose entries are refused as wholes."""

SUPERFLUOUS = ("distance", "family", "root")
"""Options that a menu may make superfluous; an entry is sound without them."""


def untold(problems: Iterable[Problem], told: Iterable[Problem]) -> list[Problem]:
    """The problems of a check; but where the schema told what is wrong with the bounds of a range, that is enough."""
    places = [each.where.partition(f".{kind}") for each in told for kind in RANGES]
    bounds = {place for place, kind, _ in places if kind}
    return [each for each in problems if each.where not in bounds]


def without(document: Document, problems: Iterable[Problem]) -> Document:
    """The document without the values that were refused by the checks that told these problems, or by YAML itself."""
    data = deepcopy(document.data)
    for keys in (*_places(document, problems), *document.spoiled):
        data = _refused(data, keys)
    return replace(document, data=data)


def sound_part(kind: Any, data: Any) -> Any:
    """Plain data as a value of this type, without the parts that do not fit.

    Raises:
        ValidationError: nothing of it fits.
    """
    try:
        return TypeAdapter(kind).validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        if any(each["loc"] for each in error.errors()):  # else it is the value itself that is wrong
            for arm in arms(kind):
                if (part := _part(arm, data)) is not None:
                    return part
        raise


@contextmanager
def passing_gaps() -> Iterator[None]:
    """Leave out the rest of a look where it needs what a value lacks."""
    try:
        yield
    except AttributeError as error:
        if not isinstance(error.obj, Promise):
            raise


def _places(document: Document, problems: Iterable[Problem]) -> Iterator[Keys]:
    """The keys that these problems refuse, given or missing. A section that lacks something keeps what it has."""
    known = {".".join(map(str, keys)): keys for keys in document.lines.at}
    for problem in problems:
        parent, _, last = problem.where.rpartition(".")
        keys = known.get(problem.where) or (*known.get(parent, ()), last)
        if not _is_section(document, keys) and document.get(keys[:-1], list) is None:
            yield keys


def _is_section(document: Document, keys: Keys) -> bool:
    value = document.get(keys, object)
    if isinstance(value, dict):
        return keys[:1] not in ENTRIES and not value.keys() & set(RANGES)
    return isinstance(value, list)


def _refused(data: Any, keys: Keys) -> Any:
    """The data with `NOTHING` at these keys; what is superfluous is removed."""
    if not keys:
        return NOTHING
    holder = data
    for key in keys[:-1]:
        if not holds(holder, key):
            return data
        holder = holder[key]
    if isinstance(holder, dict) and keys[-1] in SUPERFLUOUS and keys[-1] in holder:
        del holder[keys[-1]]
    elif isinstance(holder, dict) or holds(holder, keys[-1]):
        holder[keys[-1]] = NOTHING
    return data


def _part(arm: Any, data: Any) -> Any:
    """The sound part of data that do not fit one type; None where that type has no parts."""
    origin = get_origin(arm)
    if isinstance(arm, type) and issubclass(arm, Promise) and isinstance(data, dict):
        return _promise_part(arm, data)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(data, dict):
        return _entries(get_args(arm)[1], data)
    if origin is tuple and isinstance(data, list):
        return tuple(sound_part(get_args(arm)[0], each) for each in data)
    return None


def _entries(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in data.items():
        with suppress(ValidationError):
            found[key] = sound_part(kind, value)
    return found


def _promise_part(kind: type[Promise], data: Mapping[str, Any]) -> Promise:
    kinds = {name: Annotated[field.annotation, field] for name, field in kind.model_fields.items() if name in data}
    found = {}
    for name, each in kinds.items():
        with suppress(ValidationError):
            found[name] = sound_part(each, data[name])
    made = kind.model_construct(**found)
    for name in kinds.keys() - found.keys():  # pydantic has put the defaults of what is wrong there
        vars(made).pop(name, None)
    return made
