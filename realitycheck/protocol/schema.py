"""A document against its model: the frozen value, or every problem in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from realitycheck.errors import Problem
from realitycheck.protocol.document import Document, holds
from realitycheck.protocol.space import RANGES
from realitycheck.protocol.yaml_lines import Keys

T = TypeVar("T")

_MAPPING = ("must be a mapping", "Write `key: value` lines below it.")
_WHOLE = ("must be a whole number", "Write it without a fraction and without quotes.")
_MUST: dict[str, tuple[str, str]] = {
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": ("must be a number", "Write it without quotes, such as 0.5 or 1e-4."),
    "string_type": ("must be text", "Put it in quotes."),
    "tuple_type": ("must be a list", "Write `[first, second]`."),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "literal_error": ("must be {expected}", "Choose one of them."),
    "enum": ("must be {expected}", "Choose one of them."),
    "greater_than": ("must be greater than {gt:g}", "Raise it."),
    "greater_than_equal": ("must be at least {ge:g}", "Raise it."),
    "less_than": ("must be less than {lt:g}", "Lower it."),
    "less_than_equal": ("must be at most {le:g}", "Lower it."),
    "too_short": ("must have {min_length} or more entries", "Add what is missing."),
    "too_long": ("must have at most {max_length} entries", "Remove what is too much."),
    "string_pattern_mismatch": (
        "must be a name of at most 64 small letters, digits, `_`, `.` and `-`, the first no mark",
        "Rename it.",
    ),
}
"""pydantic's kind of error → what must hold, and what to do."""


def validate(kind: type[T], document: Document) -> tuple[T | None, list[Problem]]:
    """The document's data as a value of this type, or None and all problems.

    Strict, and as JSON: lists may stand for tuples and text for enumerations, but nothing else is converted.
    """
    text = json.dumps(document.data)
    try:
        value = TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        return None, list(_problems(kind, document, error.errors(include_url=False)))
    return value, []


def nearest(name: str, known: Sequence[str]) -> str:
    """A sentence that offers the nearest of the known names, or lists them all."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known here: {', '.join(known)}." if known else "Remove it."


def _problems(kind: Any, document: Document, errors: Sequence[ErrorDetails]) -> Iterator[Problem]:
    groups: dict[Keys, list[ErrorDetails]] = {}
    for error in errors:
        groups.setdefault(_keys(error, document.data), []).append(error)
    suggested = {
        (*keys[:-1], _close_field(kind, keys)) for keys, group in groups.items() if _is(group, "extra_forbidden")
    }
    for keys, group in groups.items():
        told = (_is(group, "missing") and keys in suggested) or _is_miscounted(group, document.get(keys, list))
        if not told and not document.is_spoiled(keys):
            yield document.lines.problem(keys, _says(kind, keys, group, document))


def _is(group: Sequence[ErrorDetails], kind: str) -> bool:
    return group[0]["type"] == kind


def _is_miscounted(group: Sequence[ErrorDetails], entries: list[Any] | None) -> bool:
    """Pydantic calls a list too short when the entries that are right are too few."""
    return entries is not None and _is(group, "too_short") and len(entries) >= group[0]["ctx"]["min_length"]


def _keys(error: ErrorDetails, data: Any) -> Keys:
    """Where the error is in the file: pydantic's path without the names of union arms."""
    keys: Keys = ()
    for part in error["loc"]:
        if holds(data, part):
            data, keys = data[part], (*keys, part)
    missing = error["loc"][-1] if error["type"] == "missing" else None
    return (*keys, missing) if isinstance(missing, str) else keys


def _says(kind: Any, keys: Keys, group: Sequence[ErrorDetails], document: Document) -> str:
    error, got = group[0], _shown(document, keys)
    if error["type"] == "missing":
        return _says_missing(error)
    if error["type"] == "extra_forbidden":
        return f"must be a known key; got '{keys[-1]}'. {nearest(str(keys[-1]), _fields(kind, keys[:-1]))}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["loc"][-2:-1] == ("fixed",):
        return _says_range(document, keys, got)
    musts = dict.fromkeys(_must(each)[0] for each in group)
    return f"{' or '.join(musts)}; got {got}. {_mend(group, document, keys)}"


def _says_missing(error: ErrorDetails) -> str:
    name = error["loc"][-1]
    if isinstance(name, int):
        return "must have two numbers, [low, high]; got fewer. Add what is missing."
    return f"must be given; got nothing. Add `{name}: …`."


def _says_range(document: Document, keys: Keys, got: str) -> str:
    known = ", ".join(f"`{name}: […]`" for name in RANGES)
    written = list(document.get(keys, dict) or {})
    close = get_close_matches(written[0], RANGES, n=1) if len(written) == 1 else []
    mend = f"Did you mean '{close[0]}'?" if close else "Write `{uniform: [low, high]}`."
    return f"must be one fixed value or exactly one of {known}; got {got}. {mend}"


def _must(error: ErrorDetails) -> tuple[str, str]:
    must, mend = _MUST.get(error["type"], ("must hold: " + error["msg"].replace("{", "{{"), "Correct it."))
    return must.format(**error.get("ctx", {})), mend


def _mend(group: Sequence[ErrorDetails], document: Document, keys: Keys) -> str:
    expected = str(group[-1].get("ctx", {}).get("expected", ""))
    close = get_close_matches(str(document.get(keys, str)), expected.split("'")[1::2], n=1)
    return f"Did you mean '{close[0]}'?" if close else _must(group[0])[1]


def _shown(document: Document, keys: Keys) -> str:
    value = document.get(keys, object)
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _close_field(kind: Any, keys: Keys) -> str:
    close = get_close_matches(str(keys[-1]), _fields(kind, keys[:-1]), n=1)
    return close[0] if close else ""


def _fields(kind: Any, keys: Keys) -> list[str]:
    """The keys that the model allows at a place of the file."""
    for key in keys:
        kind = _inside(kind, key)
    models = [arm for arm in arms(kind) if isinstance(arm, type) and issubclass(arm, BaseModel)]
    return list(models[0].model_fields) if models else []


def _inside(kind: Any, key: str | int) -> Any:
    for arm in arms(kind):
        if get_origin(arm) in (dict, Mapping):
            return get_args(arm)[1]
        if get_origin(arm) in (tuple, list):
            return get_args(arm)[0]
        if isinstance(arm, type) and issubclass(arm, BaseModel) and key in arm.model_fields:
            return arm.model_fields[str(key)].annotation
    return None


def arms(kind: Any) -> list[Any]:
    """The members of a union, or the type alone, without their annotations."""
    if get_origin(kind) is Annotated:
        return arms(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [arm for each in get_args(kind) for arm in arms(each)]
    return [kind]
