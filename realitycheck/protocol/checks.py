"""What a schema cannot say: values that must fit each other, and names that must exist.

Every check reads the plain data, so that it speaks up even where another part of the file is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.errors import Problem
from realitycheck.losses.menu import MENU as LOSSES
from realitycheck.protocol.document import Document
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.space import RATES, Space
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.runs import Category
from realitycheck.trunks.menu import MENU as TRUNKS

_Found = Iterator[tuple[Keys, str]]

_ADDRESS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")


def is_address(name: str) -> bool:
    """Whether a name is an address, `module:Class`; else it is one of our menu."""
    return ":" in name


def protocol_checks(document: Document) -> list[Problem]:
    """What is wrong with a protocol file beyond its schema."""
    checks = (_own_name(document, "protocol"), _trials(document), _phases(document), _rates(document))
    return _located(document, chain(*checks, _trunk(document), _pairs(document), _categories(document)))


def study_checks(document: Document) -> list[Problem]:
    """What is wrong with a study file beyond its schema."""
    losses, datasets = _options(document, "losses"), _options(document, "datasets")
    each = (_loss(label, options) for label, options in losses.items())
    every = (_dataset(name, options) for name, options in datasets.items())
    return _located(document, chain(_own_name(document, "study"), _baseline(document), *each, *every))


def spaces_checks(document: Document) -> list[Problem]:
    """What is wrong with a file of spaces beyond its schema."""
    spaces = document.data if isinstance(document.data, dict) else {}
    return _located(document, chain.from_iterable(_rate_ranges((name,), space) for name, space in spaces.items()))


def fit_checks(document: Document, protocol: Protocol, spaces: Mapping[str, Space], source: str) -> list[Problem]:
    """Where a study file does not fit its protocol, or the spaces that the file `source` gives."""
    losses = _options(document, "losses").items()
    each = (_space(label, options, protocol, spaces, source) for label, options in losses)
    return _located(document, chain(_category(document, protocol), *each))


def _located(document: Document, found: Iterable[tuple[Keys, str]]) -> list[Problem]:
    return [document.lines.problem(keys, says) for keys, says in found if not document.is_spoiled(keys)]


def _options(document: Document, key: str) -> Mapping[str, Mapping[str, Any]]:
    entries = document.get((key,), dict) or {}
    return {name: options or {} for name, options in entries.items() if isinstance(options or {}, dict)}


def _own_name(document: Document, key: str) -> _Found:
    """Evidence and reports lie under the name, so a copied file with its old name would mix two studies."""
    name = document.get((key,), str)
    if name is not None and name != document.path.stem:
        yield (key,), f"must be the file's name, '{document.path.stem}'; got '{name}'. Rename one of them."


def _trials(document: Document) -> _Found:
    trials = document.get(("search", "trials"), int)
    for key in ("startup_trials", "round"):
        value = document.get(("search", key), int)
        if trials is not None and value is not None and value > trials:
            yield ("search", key), f"must not exceed search.trials, {trials}; got {value}. Lower it."


def _phases(document: Document) -> _Found:
    for index, name in enumerate(("normal", "followup")):
        phase: Keys = ("phases", index)
        got = document.get((*phase, "name"), str)
        if got in ("normal", "followup") and got != name:
            yield (
                (*phase, "name"),
                f"must be '{name}' in this place; got '{got}'. `normal` comes first, once.",
            )
        cap, every = (document.get((*phase, key), int) for key in ("cap", "evaluate_every"))
        if cap is not None and every is not None and every > cap:
            says = f"must not exceed the phase's cap, {cap}; got {every}. Lower it, or nothing is evaluated."
            yield (*phase, "evaluate_every"), says


def _rates(document: Document) -> _Found:
    """A rate is told once: by the recipe, or (null there) by a shared knob of the search."""
    shared = document.get(("search", "shared"), dict) or {}
    for knob in shared:
        if knob not in RATES:
            yield ("search", "shared", knob), f"must be a rate; got '{knob}'. {nearest(knob, RATES)}"
    yield from _rate_ranges(("search", "shared"), shared)
    for part in ("trunk", "embedder"):
        optimizer = document.get(("recipe", "optimizers", part), dict) or {}
        keys: Keys = ("recipe", "optimizers", part, "lr")
        if "lr" in optimizer and optimizer["lr"] is None and f"{part}_lr" not in shared:
            yield (
                keys,
                f"must be a number, or a shared knob; got neither. Give it, or search.shared.{part}_lr.",
            )
        if optimizer.get("lr") is not None and f"{part}_lr" in shared:
            yield keys, f"must be null where search.shared.{part}_lr sets it; got both. Remove one of them."


def _rate_ranges(here: Keys, space: object) -> _Found:
    """A rate is a positive number, wherever a space names one."""
    for knob, written in space.items() if isinstance(space, dict) else ():
        bounds = written.get("log_uniform", written.get("uniform")) if isinstance(written, dict) else [written]
        numbers = bounds if isinstance(bounds, list) else [bounds]
        if knob in RATES and not all(isinstance(each, int | float) and each > 0 for each in numbers):
            yield (
                (*here, knob),
                "must be a positive number, or a range of them; got another. Raise its low end.",
            )


def _trunk(document: Document) -> _Found:
    keys: Keys = ("recipe", "trunk", "name")
    name = document.get(keys, str)
    if name is not None:
        yield from _known(keys, name, TRUNKS, "trunk")


def _pairs(document: Document) -> _Found:
    keys: Keys = ("batches", "pairs", "per_class")
    if document.get(keys, int) == 1:
        yield keys, "must be at least 2, or no batch holds a pair of one class; got 1. Raise it."


def _categories(document: Document) -> _Found:
    categories = document.get(("categories",), list) or []
    for index, category in enumerate(categories):
        if category in categories[:index]:
            yield ("categories", index), f"must stand once; got '{category}' again. Remove one of them."


def _baseline(document: Document) -> _Found:
    baseline, labels = document.get(("baseline",), str), list(document.get(("losses",), dict) or {})
    if baseline is not None and labels and baseline not in labels:
        yield ("baseline",), f"must be one of the losses; got '{baseline}'. {nearest(baseline, labels)}"


def _known(keys: Keys, name: str, menu: Mapping[str, object], kind: str) -> _Found:
    if is_address(name) and not _ADDRESS.fullmatch(name):
        yield keys, f"must be an address `module:Class`; got '{name}'. Write it as in `my_lab.losses:MyLoss`."
    if not is_address(name) and name not in menu:
        says = f"must be a {kind} of the menu; got '{name}'. {nearest(name, list(menu))}"
        yield keys, f"{says} For your own, write module:Class."


def _loss(label: str, options: Mapping[str, Any]) -> _Found:
    here: Keys = ("losses", label)
    name = options.get("loss", label)
    if not isinstance(name, str):
        return
    yield from _known((*here, "loss") if "loss" in options else here, name, LOSSES, "loss")
    for key in ("distance", "family"):
        if is_address(name) and options.get(key) is None:
            yield (*here, key), f"must be given for a loss by address; got nothing. Add `{key}: …`."
        if name in LOSSES and options.get(key) is not None:
            yield (
                (*here, key),
                f"must be left to the menu, which says {getattr(LOSSES[name], key)}. Remove it.",
            )
    yield from _rate_ranges((*here, "space"), options.get("space"))
    if is_address(name) and options.get("space") is None:
        yield (
            (*here, "space"),
            "must be given for a loss by address; got nothing. Add `space: {knob: range}`.",
        )


def _dataset(key: str, options: Mapping[str, Any]) -> _Found:
    here: Keys = ("datasets", key)
    name = options.get("dataset", key)
    if not isinstance(name, str):
        return
    yield from _known((*here, "dataset") if "dataset" in options else here, name, DATASETS, "dataset")
    entry = DATASETS.get(name)
    if entry and entry.needs_root and options.get("root") is None:
        yield (*here, "root"), "must name the folder of the images; got nothing. Add `root: /path/to/folder`."
    if entry and not entry.needs_root and options.get("root") is not None:
        yield (*here, "root"), f"must be left out, '{name}' brings its images; got a path. Remove it."


def _category(document: Document, protocol: Protocol) -> _Found:
    category = document.get(("primary", "category"), str)
    measured = [each.value for each in protocol.categories]
    if category in list(Category) and category not in measured:
        says = f"must be a category of the protocol; got '{category}'. It measures {', '.join(measured)}."
        yield ("primary", "category"), says


def _space(
    label: str, options: Mapping[str, Any], protocol: Protocol, spaces: Mapping[str, Space], source: str
) -> _Found:
    here: Keys = ("losses", label)
    name, space = str(options.get("loss", label)), options.get("space")
    if space is None and name in LOSSES and name not in spaces:
        yield here, f"must have a space; got none here or in {source}. Add `space: {{knob: range}}`."
    knobs = set(spaces.get(name, {}) if space is None else space if isinstance(space, dict) else {})
    for knob in sorted(protocol.search.shared.keys() & knobs):
        says = f"must be left out, the protocol searches {knob} for every loss; got it again. Remove it."
        yield (*here, "space", knob), says
