"""Every key and every command has a heading in the docs, no heading is without one, and every example is valid."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import typer.main
import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from test_architecture import FLOORS

from realitycheck.cli.main import app
from realitycheck.protocol.document import read_document
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.space import RANGES
from realitycheck.protocol.study_file import WrittenStudy
from realitycheck.protocol.validation import arms
from realitycheck.protocol.yaml_lines import Reader

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

PENDING: set[str] = set()
"""Keys, rooms and options that the docs explain and the code does not have yet; empty in the end."""

NOT_DEEPER = {"on.<dataset>", "foundations.<foundation>"}
"""Models below these keys are explained where they first occur."""

NAMES = {
    "on": "<dataset>",
    "datasets": "<name>",
    "losses": "<label>",
    "pair_lists": "<list>",
    "foundations": "<foundation>",
}
"""What a heading calls the keys of a mapping whose values are models."""

SHIPPED = {
    "<dataset>": "cub200",
    "<name>": "few_sketches",
    "<label>": "contrastive",
    "<list>": "lfw",
    "<foundation>": "dinov2_s",
}
"""A name that the shipped files have, or may have, in that place."""

CODE = re.compile(r"`([^`]+)`")


def fields(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted key and type of every key of a file, from the outside in."""
    for name, field in model.model_fields.items():
        key = f"{above}.{name}" if above else name
        yield key, field
        for arm in arms(field.annotation):
            inner, keyed = contents(arm)
            below = f"{key}.{NAMES[name]}" if keyed and inner else key
            if inner and above not in NOT_DEEPER:
                yield from fields(inner, below)


def contents(arm: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model in a type, or in the values of a sequence or mapping of it; whether it is a mapping."""
    origin, args = get_origin(arm), get_args(arm)
    if origin in (tuple, list, dict, Mapping):
        models = [inner for inner in arms(args[0] if origin in (tuple, list) else args[1]) if is_model(inner)]
        return (models[0] if models else None), origin in (dict, Mapping)
    return (arm if is_model(arm) else None), False


def is_model(kind: Any) -> bool:
    """Ranges are models, too, but they are values of knobs and no keys of the file."""
    return isinstance(kind, type) and issubclass(kind, BaseModel) and not set(kind.model_fields) & set(RANGES)


def words(field: FieldInfo) -> set[str]:
    """The words that a key may have as its value, as JSON Schema lists them; those of keys below it are not its own."""
    schema = TypeAdapter(Annotated[field.annotation, field, *field.metadata]).json_schema()
    parts = [] if "properties" in schema else [schema, *schema.pop("$defs", {}).values()]
    return set(listed([part for part in parts if "properties" not in part]))


def listed(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from listed(part)
    if isinstance(schema, dict):
        yield from (word for word in [*schema.get("enum", []), schema.get("const")] if isinstance(word, str))
        for part in schema.values():
            yield from listed(part)


def sections(page: str) -> dict[str, str]:
    """Dotted key → the text below its heading; a heading may name several keys."""
    text = (DOCS / page).read_text(encoding="utf-8")
    parts = re.split(r"^##+ (.*)$", text, flags=re.MULTILINE)[1:]
    return {key: body for heading, body in zip(parts[::2], parts[1::2], strict=True) for key in CODE.findall(heading)}


def examples(body: str) -> list[Any]:
    """The YAML of a section: of its blocks, and of the code behind the word Example."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", body, flags=re.DOTALL | re.MULTILINE)
    inline = [" ".join(text.split()) for text in re.findall(r"Example:\s`([^`]+)`", body)]
    return [Reader().read(text) for text in [*blocks, *inline]]


PAGES: dict[str, tuple[type[BaseModel], Path]] = {
    "protocols.md": (Protocol, ROOT / "protocols" / "reality2026.yaml"),
    "studies.md": (WrittenStudy, ROOT / "studies" / "demo.yaml"),
}

KEYS = [(page, key, field) for page, (model, _) in PAGES.items() for key, field in fields(model)]


@pytest.mark.parametrize("page", PAGES)
def test_every_key_has_a_heading_and_every_heading_a_key(page):
    keys = {key for name, key, _ in KEYS if name == page}
    assert keys - set(sections(page)) == set(), "without a heading"
    assert set(sections(page)) - keys - PENDING == set(), "no such key"


@pytest.mark.parametrize(("page", "key", "field"), KEYS, ids=[key for _, key, _ in KEYS])
def test_a_section_says_what_the_model_says(page, key, field):
    body = sections(page)[key]
    if not key.startswith("on."):
        assert words(field) - set(CODE.findall(body)) == set(), "values that the section does not name"
    assert ("*Optional.*" in body) == (not field.is_required() and key != "recipe.trunk.weights.source")


@pytest.mark.parametrize(("page", "key"), [(page, key) for page, key, _ in KEYS])
def test_every_example_is_valid_in_its_place(page, key):
    """In the place of what a shipped file says; the types alone are checked, not whether values fit each other."""
    model, path = PAGES[page]
    *above, name = key.split(".")
    given = [example for example in examples(sections(page)[key]) if name in example or key.startswith("on.")]
    assert given, "no example"
    for example in given:
        data = read_document(path, source=path.name).data
        place(data, above).update(example)
        TypeAdapter(model).validate_json(json.dumps(data), strict=True)


def place(data: Any, keys: list[str]) -> Any:
    """The mapping at these keys, made where it is missing; of a list the first entry."""
    for key in keys:
        data = data.setdefault(SHIPPED.get(key, key), {})
        data = data[0] if isinstance(data, list) else data
    return data


def test_every_range_is_explained():
    _, ranges = (DOCS / "protocols.md").read_text(encoding="utf-8").split("### Ranges")
    assert [name for name in RANGES if f"`{{{name}: [" not in ranges] == []


def test_the_table_of_rooms_is_that_of_the_architecture_test():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.*?) \|", text, flags=re.MULTILINE)
    floors = {room: int(number) for number, rooms in rows for room in CODE.findall(rooms)}
    assert {room: floors.get(room) for room in FLOORS} == FLOORS
    assert set(floors) - set(FLOORS) - PENDING == set()


COMMANDS = typer.main.get_command(app).commands


def test_every_command_has_a_heading_and_every_heading_a_command():
    assert set(sections("commands.md")) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    options = {
        max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.name.upper()
        for parameter in COMMANDS[name].params
    }
    body = sections("commands.md")[name]
    explained = set(re.findall(r"^- `([^`]+)`:", body, flags=re.MULTILINE))
    assert options - {"--help"} - explained == set(), "without a line"
    assert explained - options - PENDING == set(), "no such option"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_a_command_can_be_read(name):
    lines = re.findall(r"^realitycheck (.*)$", sections("commands.md")[name], flags=re.MULTILINE)
    assert lines
    for line in lines:
        word, *words = shlex.split(line)
        assert word == name
        COMMANDS[name].make_context(name, words)


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if target.startswith("https://"):
                continue
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings: small letters, hyphens for spaces, and no other marks."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
