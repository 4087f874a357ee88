"""What `catalog` lists beside losses, datasets and trunks; nothing that is listed is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from realitycheck.errors import InputError
from realitycheck.evaluations.menu import MENU as EVALUATIONS
from realitycheck.executors.menu import MENU as EXECUTORS
from realitycheck.metrics.menu import MENU as METRICS
from realitycheck.protocol.document import Document, read_document
from realitycheck.search.samplers.menu import MENU as SAMPLERS
from realitycheck.shipped import shipped_file, shipped_names

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]
"""The head of a table, and its rows."""


def protocol_rows(home: Path) -> Rows:
    """The protocols of a home and of the package; one of the home hides the shipped one of its name."""
    rows = [
        (name, document.get(("summary",), str) or "", place)
        for name, document, place in _files(home, "protocols")
        if document.get(("protocol",), str)
    ]
    return ("protocol", "summary", "from"), rows


def space_rows(home: Path) -> Rows:
    """The files of ranges of a home and of the package."""
    rows = [
        (name, f"{len(losses):,}", ", ".join(losses), place)
        for name, document, place in _files(home, "protocols/spaces")
        if isinstance(document.data, dict) and (losses := sorted({key.partition("@")[0] for key in document.data}))
    ]
    return ("space", "losses", "names", "from"), rows


def evaluation_rows() -> Rows:
    """The evaluations of finished models."""
    rows = [
        (name, first_sentence(entry.address), "yes" if entry.trained else "no", entry.untrained_row)
        for name, entry in EVALUATIONS.items()
    ]
    return ("evaluation", "measures", "trained models", "row of untrained models"), rows


def metric_rows() -> Rows:
    """The scores that a record can hold."""
    rows = [
        (entry.key, entry.term, entry.option or "always", "yes" if entry.may_be_primary else "no", entry.sentence)
        for entry in METRICS
    ]
    return ("metric", "heading", "key of `scores`", "may be primary", "meaning"), rows


def sampler_rows() -> Rows:
    """The samplers of a search."""
    rows = [
        (name, first_sentence(entry.address), "yes" if entry.learns else "no", entry.extra or "nothing")
        for name, entry in SAMPLERS.items()
    ]
    return ("sampler", "proposes", "learns from trials", "extra to install"), rows


def executor_rows() -> Rows:
    """The executors of `run`."""
    return ("executor", "runs jobs in"), [(name, entry.title) for name, entry in EXECUTORS.items()]


def first_sentence(address: str) -> str:
    """The first sentence of the docstring of `module:name`; for a function, of its module."""
    module, _, name = address.partition(":")
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    node_of_class = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    text = ast.get_docstring(node_of_class or tree) or ""
    return text.split("\n\n")[0].split(". ")[0].replace("\n", " ").rstrip(".")


def _files(home: Path, folder: str) -> Iterator[tuple[str, Document, str]]:
    """Name, content and origin of the readable YAML files of a folder, by name."""
    shipped = {name: shipped_file(f"{folder}/{name}.yaml") for name in shipped_names(folder)}
    places = {name: (path, "the package") for name, path in shipped.items() if path is not None}
    places |= {path.stem: (path, "this folder") for path in (home / folder).glob("*.yaml")}
    for name, (path, place) in sorted(places.items()):
        try:
            yield name, read_document(path, source=name), place
        except InputError:  # `check` lists what is wrong with it
            continue
