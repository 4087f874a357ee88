"""What a schema cannot say: values that must fit each other, and names that must exist.

Every check reads the plain data, so that it speaks up even where another part of the file is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.errors import Problem
from realitycheck.protocol.document import Document
from realitycheck.protocol.loss_checks import batch_problems, loss_problems, setting_problems, space_problems
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.names import Found, known_problems
from realitycheck.protocol.rate_checks import rate_problems, rate_ranges
from realitycheck.protocol.recipe_checks import assumed_problems, recipe_problems
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.score_checks import score_problems
from realitycheck.protocol.space import Space
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.runs import Category


def protocol_checks(document: Document) -> list[Problem]:
    """What is wrong with a protocol file beyond its schema."""
    checks = (_own_name(document, "protocol"), _trials(document), _folds(document), *_phases(document))
    recipe = (recipe_problems(document), rate_problems(document), assumed_problems(document), score_problems(document))
    return _located(document, chain(*checks, *recipe, _pairs(document), _categories(document)))


def study_checks(document: Document) -> list[Problem]:
    """What is wrong with a study file beyond its schema."""
    losses, datasets = _options(document, "losses"), _options(document, "datasets")
    each = (loss_problems(label, options) for label, options in losses.items())
    every = (_dataset(name, options) for name, options in datasets.items())
    return _located(document, chain(_own_name(document, "study"), _labels(document), *each, *every))


def spaces_checks(document: Document) -> list[Problem]:
    """What is wrong with a file of spaces beyond its schema."""
    spaces = document.data if isinstance(document.data, dict) else {}
    return _located(document, chain.from_iterable(rate_ranges((name,), space) for name, space in spaces.items()))


def fit_checks(document: Document, protocol: Protocol, spaces: Mapping[str, Space], source: str) -> list[Problem]:
    """Where a study file does not fit its protocol, or the spaces that the file `source` gives."""
    losses = _options(document, "losses").items()
    each = (space_problems(label, options, protocol, spaces, source) for label, options in losses)
    settings = (setting_problems(label, options, protocol, spaces) for label, options in losses)
    batches = (batch_problems(label, options, protocol) for label, options in losses)
    return _located(document, chain(_category(document, protocol), *each, *settings, *batches))


def _located(document: Document, found: Iterable[tuple[Keys, str]]) -> list[Problem]:
    return [document.lines.problem(keys, says) for keys, says in found if not document.is_spoiled(keys)]


def _options(document: Document, key: str) -> Mapping[str, Mapping[str, Any]]:
    entries = document.get((key,), dict) or {}
    return {name: options or {} for name, options in entries.items() if isinstance(options or {}, dict)}


def _own_name(document: Document, key: str) -> Found:
    """Evidence and reports lie under the name, so a copied file with its old name would mix two studies."""
    name = document.get((key,), str)
    if name is not None and name != document.path.stem:
        yield (key,), f"must be the file's name, '{document.path.stem}'; got '{name}'. Rename one of them."


def _trials(document: Document) -> Found:
    trials, startup, size = (document.get(("search", key), int) for key in ("trials", "startup_trials", "round"))
    for key, value in (("startup_trials", startup), ("round", size)):
        if trials is not None and value is not None and value > trials:
            yield ("search", key), f"must not exceed search.trials, {trials}; got {value}. Lower it."
    learns = document.get(("search", "sampler"), str) == "gp"
    if learns and startup is not None and size is not None and startup < size <= (trials or size):
        says = f"must be at least search.round, {size}, or gp proposes without a value to learn from; got {startup}."
        yield ("search", "startup_trials"), f"{says} Raise it, or lower the round."


def _folds(document: Document) -> Found:
    """One fold is a hold-out, and has nothing to average or to join."""
    keys: Keys = ("folds", "count")
    count, kind = document.get(keys, int), document.get(("folds", "kind"), str)
    if count is None or kind is None:
        return
    if kind == "hold_out" and count != 1:
        yield keys, f"must be 1 for a hold-out; got {count}. Lower it, or choose another kind."
    if kind != "hold_out" and count < 2:
        yield keys, f"must be 2 or more; got {count}. Raise it, or choose `hold_out`."
    if count == 1 and "ensemble" in (document.get(("categories",), list) or []):
        yield ("categories",), "must not hold `ensemble` where there is one fold; got it. Remove it."


def _phases(document: Document) -> list[Found]:
    """The phases of the protocol, and those of single datasets."""
    names = document.get(("on",), dict) or {}
    places: list[Keys] = [("phases",), *(("on", name, "phases") for name in names)]
    return [_phases_at(document, keys) for keys in places]


def _phases_at(document: Document, keys: Keys) -> Found:
    for index, name in enumerate(("normal", "followup")):
        phase: Keys = (*keys, index)
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


def _pairs(document: Document) -> Found:
    keys: Keys = ("batches", "pairs", "per_class")
    if document.get(keys, int) == 1:
        yield keys, "must be at least 2, or no batch holds a pair of one class; got 1. Raise it."


def _categories(document: Document) -> Found:
    categories = document.get(("categories",), list) or []
    for index, category in enumerate(categories):
        if category in categories[:index]:
            yield ("categories", index), f"must stand once; got '{category}' again. Remove one of them."


def _labels(document: Document) -> Found:
    """Baseline and `same` name losses of the study."""
    labels = list(document.get(("losses",), dict) or {})
    named: dict[Keys, object] = {("baseline",): document.get(("baseline",), str)}
    named |= {("same", index): label for index, label in enumerate(document.get(("same",), list) or [])}
    for keys, label in named.items():
        if isinstance(label, str) and labels and label not in labels:
            yield keys, f"must be one of the losses; got '{label}'. {nearest(label, labels)}"


def _dataset(key: str, options: Mapping[str, Any]) -> Found:
    here: Keys = ("datasets", key)
    name = options.get("dataset", key)
    if not isinstance(name, str):
        return
    yield from known_problems((*here, "dataset") if "dataset" in options else here, name, DATASETS, "dataset")
    entry = DATASETS.get(name)
    if entry and entry.needs_root and options.get("root") is None:
        yield (*here, "root"), "must name the folder of the images; got nothing. Add `root: /path/to/folder`."
    if entry and not entry.needs_root and options.get("root") is not None:
        yield (*here, "root"), f"must be left out, '{name}' brings its images; got a path. Remove it."


def _category(document: Document, protocol: Protocol) -> Found:
    category = document.get(("primary", "category"), str)
    measured = [each.value for each in protocol.categories]
    if category in list(Category) and category not in measured:
        says = f"must be a category of the protocol; got '{category}'. It measures {', '.join(measured)}."
        yield ("primary", "category"), says
