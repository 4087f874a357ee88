"""The values of one file: each is validated by itself, and is sound or missing."""

from __future__ import annotations

import json
from functools import cache
from types import NoneType
from typing import Any, Final, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from realitycheck.errors import Problem
from realitycheck.protocol.document import Document, holds
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.study_file import Spaces, WrittenStudy
from realitycheck.protocol.validation import REQUIRED, arms, close_field, inside, read_as
from realitycheck.protocol.yaml_lines import Keys

MISSING: Final = object()
"""A value that is not there, or that was refused."""

KINDS: Final[dict[str, Any]] = {"study": WrittenStudy, "protocol": Protocol, "spaces": Spaces}
"""The three files of a study, and what each must be as a whole."""


class Sections:
    """The values of one file of a study.

    A value is missing where it is required and not given, where it does not fit the schema, and where it or a part of
    it was refused, by YAML or by a rule.

    Args:
        name: which of the three files, a key of `KINDS`.
        document: the file.

    Attributes:
        problems: of the file, so far.
        refused: the values that are missing because of them.
    """

    def __init__(self, name: str, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)
        self._name = name
        self.refused = set(document.spoiled)
        _, faults = read_as(KINDS[name], document)
        for fault in faults:
            self.refuse(fault.keys)
            self.problems.append(document.lines.problem(fault.keys, fault.code, fault.says))
            if fault.code == "key-unknown" and (meant := close_field(KINDS[name], fault.keys)):
                self.refuse((*fault.keys[:-1], meant))  # it was given, under a misspelt key: its default does not hold

    def refuse(self, keys: Keys) -> None:
        """Make the value at these keys missing, and every value that it is a part of."""
        self.refused.add(keys)

    def value(self, keys: Keys) -> Any:
        """The value at these keys as its type in the schema, its default where it is not given, or MISSING."""
        if self.document.is_spoiled(keys) or any(refused[: len(keys)] == keys for refused in self.refused):
            return MISSING
        kind, data = KINDS[self._name], self.document.data
        schema: tuple[str | int | None, ...] = ()
        for place, key in enumerate(keys, start=1):
            held = inside(kind, key)
            data = {} if data is None and NoneType in arms(kind) else data
            if held is None:
                return MISSING
            if not holds(data, key) and (not isinstance(data, dict) or held[1] is REQUIRED):
                return MISSING
            if not holds(data, key) and (place == len(keys) or held[1] is not None):
                return held[1] if place == len(keys) else MISSING
            schema = (*schema, key if _is_field(kind, key) else None)
            kind, data = held[0], data[key] if holds(data, key) else None
        return _validated(self._name, schema, data)

    def names(self, keys: Keys) -> Any:
        """The keys of a mapping, or the positions of a list, sound or not; MISSING where there is neither."""
        data = self.document.get(keys, object)
        if self.document.is_spoiled(keys):
            return MISSING
        if isinstance(data, dict | list):
            if not _has_shape(KINDS[self._name], keys, data):
                return MISSING
            return tuple(data) if isinstance(data, dict) else tuple(range(len(data)))
        return MISSING if data is not None or self.value(keys) is MISSING else ()


def _has_shape(kind: Any, keys: Keys, data: dict[str, Any] | list[Any]) -> bool:
    """Whether the model has a mapping where the data has one, and a list where the data has a list."""
    for key in keys:
        held = inside(kind, key)
        if held is None:
            return True  # an unknown key is a problem of its own
        kind = held[0]
    lists = [get_origin(arm) in (tuple, list) for arm in arms(kind) if arm is not NoneType]
    return any(is_list is isinstance(data, list) for is_list in lists)


def _is_field(kind: Any, key: str | int) -> bool:
    """Whether the key is one of a model; else it is an entry of a mapping or a list, whose entries have one type."""
    return any(isinstance(arm, type) and issubclass(arm, BaseModel) and key in arm.model_fields for arm in arms(kind))


def _validated(name: str, schema: tuple[str | int | None, ...], data: Any) -> Any:
    try:
        return _adapter(name, schema).validate_json(json.dumps(data), strict=True)
    except ValidationError:
        return MISSING


@cache
def _adapter(name: str, schema: tuple[str | int | None, ...]) -> TypeAdapter[Any]:
    kind = KINDS[name]
    for key in schema:
        held = inside(kind, "" if key is None else key) or inside(kind, 0)
        assert held is not None
        kind = held[0]
    return TypeAdapter(kind)
