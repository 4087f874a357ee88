"""The fields of every kind of record, read off the types: the table of docs/architecture.md."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

from realitycheck.records.curves import Best, CurvePoint, Images, PhaseEnd, TrainingPoint
from realitycheck.records.nearest_images import Query, ShownImage
from realitycheck.records.schema import RECORDS, DistanceScores

PARTS = {
    "curve": CurvePoint,
    "best": Best,
    "phases": PhaseEnd,
    "images": Images,
    "training": TrainingPoint,
    "models": DistanceScores,
    "opening.queries": Query,
    "nearest": ShownImage,
}
"""Field of a record, or kind and field, → the type of its parts."""


def record_fields() -> Iterator[tuple[str, str, str]]:
    """Kind, field and meaning of every field of a record, and of the parts of these."""
    for kind, record in RECORDS.items():
        meanings = _meanings(record)
        yield kind, "id", _sentence(inspect.getdoc(record.id) or "")
        yield kind, "results_version", "that of the release that made it"
        for field in fields(record):
            yield kind, field.name, meanings[field.name]
            if part := PARTS.get(field.name) or PARTS.get(f"{kind}.{field.name}"):
                for name, meaning in _meanings(part).items():
                    yield kind, f"{field.name}.{name}", meaning


def records_markdown() -> str:
    """The table as Markdown."""
    head = "| kind | field | meaning |\n|---|---|---|\n"
    return head + "".join(f"| `{kind}` | `{name}` | {meaning} |\n" for kind, name, meaning in record_fields())


def _meanings(kind: type) -> dict[str, str]:
    """Field → its lines under `Args`; without such lines, the first sentence of the docstring for all of them."""
    text = inspect.getdoc(kind) or ""
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text.partition("Args:")[2], flags=re.MULTILINE)
    meanings = {name: _sentence(" ".join(entry.split())) for name, entry in entries}
    return {field.name: meanings.get(field.name, _sentence(text.splitlines()[0])) for field in fields(kind)}


def _sentence(text: str) -> str:
    return text.replace("|", "\\|").rstrip(".")
