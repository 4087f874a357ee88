"""A document against its model: the frozen value, or every fault of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from realitycheck.errors import Problem
from realitycheck.protocol.document import Document, Fault, holds
from realitycheck.protocol.space import RANGES
from realitycheck.protocol.yaml_lines import Keys

T = TypeVar("T")

REQUIRED = object()
"""The default of a key that must be given."""


class _Wording(NamedTuple):
    """One kind of pydantic error in our words: code, what the value is, what must hold, and the fix."""

    code: str
    verdict: str
    must: str
    fix: str


_NOT_ALLOWED, _OUT_OF_RANGE = "{got} is not allowed here", "{got} is out of range"

_MAPPING = _Wording("type-wrong", _NOT_ALLOWED, "must be a mapping", "Write it as lines of `key: value`.")
_WHOLE = _Wording(
    "type-wrong", _NOT_ALLOWED, "must be a whole number", "Write it without a fraction and without quotes."
)
_CHOICE = _Wording("value-unknown", "unknown value {got}", "must be {expected}", "")
_NAME = "must be a name of at most 64 small letters, digits, `_`, `.` and `-`, beginning with a letter or a digit"
_WORDINGS: dict[str, _Wording] = {
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _Wording(
        "type-wrong", _NOT_ALLOWED, "must be a number", "Write it without quotes, such as 0.5 or 1e-4."
    ),
    "string_type": _Wording("type-wrong", _NOT_ALLOWED, "must be text", "Put it in quotes."),
    "bool_type": _Wording("type-wrong", _NOT_ALLOWED, "must be true or false", "Write it without quotes."),
    "tuple_type": _Wording("type-wrong", _NOT_ALLOWED, "must be a list", "Write `[first, second]`."),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "greater_than": _Wording("value-range", _OUT_OF_RANGE, "must be greater than {gt:,.15g}", ""),
    "greater_than_equal": _Wording("value-range", _OUT_OF_RANGE, "must be at least {ge:,.15g}", ""),
    "less_than": _Wording("value-range", _OUT_OF_RANGE, "must be less than {lt:,.15g}", ""),
    "less_than_equal": _Wording("value-range", _OUT_OF_RANGE, "must be at most {le:,.15g}", ""),
    "too_short": _Wording("entries-range", _OUT_OF_RANGE, "must have {min_length} or more entries", "Add entries."),
    "too_long": _Wording("entries-range", _OUT_OF_RANGE, "must have at most {max_length} entries", "Remove some."),
    "string_too_long": _Wording(
        "text-too-long", _OUT_OF_RANGE, "must have at most {max_length} characters", "Shorten it."
    ),
    "string_pattern_mismatch": _Wording("name-invalid", _NOT_ALLOWED, _NAME, "Rename it."),
}
"""pydantic's kind of error → our words for it."""


def validate(kind: type[T], document: Document) -> tuple[T | None, list[Problem]]:
    """The document's data as a value of this type, or None and all problems."""
    value, faults = read_as(kind, document)
    return value, [document.lines.problem(fault.keys, fault.code, fault.says) for fault in faults]


def read_as(kind: type[T], document: Document) -> tuple[T | None, list[Fault]]:
    """The document's data as a value of this type, or None and all faults.

    Strict, and as JSON: lists may represent tuples and text enumerations, but nothing else is converted.
    """
    text = json.dumps(document.data)
    try:
        value = TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        return None, list(_faults(kind, document, error.errors(include_url=False)))
    return value, []


def nearest(name: str, known: Sequence[str]) -> str:
    """A sentence that offers the nearest of the known names, or lists them all."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known: {', '.join(known)}." if known else "Remove it."


def close_field(kind: Any, keys: Keys) -> str:
    """The key of the model that an unknown key was probably meant to be; empty where there is none."""
    close = get_close_matches(str(keys[-1]), _fields(kind, keys[:-1]), n=1)
    return close[0] if close else ""


def inside(kind: Any, key: str | int) -> tuple[Any, Any] | None:
    """The type, with its constraints, of what a value of this type holds at a key, and its default; or None."""
    for arm in arms(kind):
        if get_origin(arm) in (dict, Mapping) and isinstance(key, str):
            return get_args(arm)[1], REQUIRED
        if get_origin(arm) in (tuple, list) and isinstance(key, int):
            return get_args(arm)[0], REQUIRED
        if isinstance(arm, type) and issubclass(arm, BaseModel) and key in arm.model_fields:
            field = arm.model_fields[str(key)]
            held = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            return held, REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
    return None


def arms(kind: Any) -> list[Any]:
    """The members of a union, or the type alone, without their annotations."""
    if get_origin(kind) is Annotated:
        return arms(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [arm for member in get_args(kind) for arm in arms(member)]
    return [kind]


def _faults(kind: Any, document: Document, errors: Sequence[ErrorDetails]) -> Iterator[Fault]:
    groups: dict[Keys, list[ErrorDetails]] = {}
    for error in errors:
        groups.setdefault(_keys(error, document.data), []).append(error)
    suggested = {
        (*keys[:-1], close_field(kind, keys)) for keys, group in groups.items() if _is(group, "extra_forbidden")
    }
    for keys, group in groups.items():
        redundant = (_is(group, "missing") and keys in suggested) or _is_miscounted(group, document.get(keys, list))
        if not redundant and not document.is_spoiled(keys):
            yield _fault(kind, keys, group, document)


def _is(group: Sequence[ErrorDetails], kind: str) -> bool:
    return group[0]["type"] == kind


def _is_miscounted(group: Sequence[ErrorDetails], entries: list[Any] | None) -> bool:
    """Pydantic calls a list too short when its valid entries are too few."""
    return entries is not None and _is(group, "too_short") and len(entries) >= group[0]["ctx"]["min_length"]


def _keys(error: ErrorDetails, data: Any) -> Keys:
    """Where the error is in the file: pydantic's path without the names of union arms."""
    keys: Keys = ()
    for part in error["loc"]:
        if holds(data, part):
            data, keys = data[part], (*keys, part)
    missing = error["loc"][-1] if error["type"] == "missing" else None
    return (*keys, missing) if isinstance(missing, str) else keys


def _fault(kind: Any, keys: Keys, group: Sequence[ErrorDetails], document: Document) -> Fault:
    error = group[0]
    if error["type"] == "missing":
        return _missing(error, keys)
    if error["type"] == "extra_forbidden":
        says = f"unknown key '{keys[-1]}'. {nearest(str(keys[-1]), _fields(kind, keys[:-1]))}"
        return Fault("key-unknown", says, keys)
    if error["type"].startswith(("range-", "choice-")):
        return Fault(error["type"], error["msg"], keys)
    if error["loc"][-2:-1] == ("fixed",):
        return _range_fault(document, keys)
    return _value_fault(group, document, keys)


def _missing(error: ErrorDetails, keys: Keys) -> Fault:
    name = error["loc"][-1]
    if isinstance(name, int):
        return Fault("range-incomplete", "missing bound; a range has a lower and an upper one: `[low, high]`.", keys)
    return Fault("key-missing", f"missing key; add `{name}: …`.", keys)


def _range_fault(document: Document, keys: Keys) -> Fault:
    known = ", ".join(f"`{name}: […]`" for name in RANGES)
    written = list(document.get(keys, dict) or {})
    close = get_close_matches(written[0], RANGES, n=1) if len(written) == 1 else []
    fix = f"Did you mean '{close[0]}'?" if close else "Write `{uniform: [low, high]}`."
    must = f"must be one value, or exactly one of {known}"
    return Fault("range-invalid", f"{_shown(document, keys)} is not allowed here: it {must}. {fix}", keys)


def _value_fault(group: Sequence[ErrorDetails], document: Document, keys: Keys) -> Fault:
    wordings = [_wording(error) for error in group]
    musts = " or ".join(dict.fromkeys(wording.must for wording in wordings))
    code, verdict, _, fix = wordings[0]
    expected = str(group[-1].get("ctx", {}).get("expected", ""))
    close = get_close_matches(str(document.get(keys, str)), expected.split("'")[1::2], n=1)
    fix = f"Did you mean '{close[0]}'?" if close else fix
    return Fault(code, f"{verdict.format(got=_shown(document, keys))}: it {musts}. {fix}".rstrip(), keys)


def _wording(error: ErrorDetails) -> _Wording:
    wording = _WORDINGS.get(error["type"])
    if wording is None:
        return _Wording("value-invalid", _NOT_ALLOWED, f"is invalid ({error['msg']})", "")
    return wording._replace(must=wording.must.format(**error.get("ctx", {})))


def _shown(document: Document, keys: Keys) -> str:
    value = document.get(keys, object)
    if value is None and not keys:
        return "an empty file"
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _fields(kind: Any, keys: Keys) -> list[str]:
    """The keys that the model allows at a place of the file."""
    for key in keys:
        held = inside(kind, key)
        kind = held[0] if held else None
    models = [arm for arm in arms(kind) if isinstance(arm, type) and issubclass(arm, BaseModel)]
    return list(models[0].model_fields) if models else []
