"""The recipe of a protocol: values that must fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.protocol.document import Document, holds
from realitycheck.protocol.names import Found, known_problems
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.trunks.menu import MENU as TRUNKS


def recipe_problems(document: Document) -> Found:
    """What is wrong with trunk, pictures and augmentation, here and on single datasets."""
    yield from _trunk(document, ("recipe", "trunk"))
    yield from _pictures(document)
    yield from _frozen(document)
    for name, other in (document.get(("on",), dict) or {}).items():
        yield from known_problems(("on", name), str(name), DATASETS, "dataset")
        if isinstance(other, dict) and "trunk" in other:
            yield from _trunk(document, ("on", name, "trunk"))


def assumed_problems(document: Document) -> Found:
    """What is marked as assumed stands in the file."""
    for index, name in enumerate(document.get(("assumed",), list) or []):
        if isinstance(name, str) and not _stands(document, name):
            yield ("assumed", index), f"must be a key of this file, as `search.trials`; got '{name}'. Correct it."


def _stands(document: Document, name: str) -> bool:
    value = document.data
    for key in name.split("."):
        place = int(key) if key.isdigit() else key
        if not holds(value, place):
            return False
        value = value[place]
    return True


def _trunk(document: Document, keys: Keys) -> Found:
    name = document.get((*keys, "name"), str)
    if name is not None:
        yield from known_problems((*keys, "name"), name, TRUNKS, "trunk")
    if document.get((*keys, "weights"), dict) and document.get((*keys, "weights", "source"), str) is None:
        says = "must be given; got nothing. Add `source:`, a path, an address, or `package:<import name>/<path>`."
        yield (*keys, "weights", "source"), says


def _pictures(document: Document) -> Found:
    """Whole images are cropped, and crops are not shifted."""
    recipe: Mapping[str, Any] = document.get(("recipe",), dict) or {}
    size, resize = recipe.get("image_size"), recipe.get("resize")
    here: Keys = ("recipe", "augment")
    crop, shift = document.get((*here, "crop"), dict), document.get((*here, "shift"), int)
    if isinstance(size, int) and isinstance(resize, int) and resize < size:
        yield ("recipe", "resize"), f"must be at least image_size, {size}; got {resize}. Raise it."
    if (crop is not None or resize is not None) and shift:
        yield (*here, "shift"), f"must be 0 where crops are drawn; got {shift}. Lower it."
    for key, limit in (("scale", 1.0), ("ratio", None)):
        yield from _bounds((*here, "crop", key), (crop or {}).get(key), limit)


def _bounds(keys: Keys, bounds: object, limit: float | None) -> Found:
    if not isinstance(bounds, list) or len(bounds) != 2 or not all(isinstance(each, int | float) for each in bounds):
        return
    low, high = bounds
    if low > high:
        yield keys, f"must be [low, high]; got [{low:g}, {high:g}]. Exchange them."
    if limit is not None and high > limit:
        yield keys, f"must be at most {limit:g}, the whole image; got {high:g}. Lower it."


def _frozen(document: Document) -> Found:
    """A frozen trunk sees each image once, and its mirror image at most."""
    if not document.get(("recipe", "trunk", "frozen"), bool):
        return
    if document.get(("recipe", "augment", "crop"), dict) is not None:
        yield ("recipe", "augment", "crop"), "must be left out, a frozen trunk sees fixed views; got it. Remove it."
    if document.get(("recipe", "augment", "shift"), int):
        yield ("recipe", "augment", "shift"), "must be 0, a frozen trunk sees fixed views; got more. Lower it."
    if document.get(("recipe", "batch_norm"), str) in ("train", "freeze_statistics"):
        yield ("recipe", "batch_norm"), "must be `frozen` where the trunk is; got another. Change it."
    if "trunk_lr" in (document.get(("search", "shared"), dict) or {}):
        yield ("search", "shared", "trunk_lr"), "must be left out, a frozen trunk learns nothing; got it. Remove it."
