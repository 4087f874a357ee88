"""Published defaults and optima of losses, and what they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Annotated

from pydantic import Field

from realitycheck.errors import InputError
from realitycheck.losses.menu import parts
from realitycheck.protocol.base import FrozenSection, Name
from realitycheck.protocol.document import read_document
from realitycheck.protocol.model import Batch, Protocol
from realitycheck.protocol.space import Fixed
from realitycheck.protocol.validation import validate

FILE = "settings.yaml"
"""Of the package `realitycheck.losses`."""

DEFAULT = "paper"
"""The authors' own setting; every loss of the menu has one."""


class Belongs(FrozenSection):
    """What a setting was tuned with; null where its source does not report it.

    Args:
        optimizer: in small letters.
        trunk_lr: of the network.
        loss_lr: of the loss's own parameters.
        loss_init: how these were initialised.
        embedding_dim: D.
        batch: images.
        per_class: images of each class in a batch.
        length: the initial embedding length of its model, where the source says it or it follows from its head.
    """

    optimizer: str | None
    trunk_lr: float | None
    loss_lr: float | None
    loss_init: str | None
    embedding_dim: int | None
    batch: int | None
    per_class: int | None
    length: float | None = None


class Published(FrozenSection):
    """One setting of a loss, and its source."""

    knobs: dict[Name, Fixed]
    belongs: Belongs
    source: str


Settings = dict[Name, Annotated[dict[Name, Published], Field(min_length=1)]]


@cache
def published() -> Mapping[str, Mapping[str, Published]]:
    """Loss of the menu → name of a setting → the setting.

    Raises:
        InputError: the package's file is wrong.
    """
    with as_file(files("realitycheck.losses") / FILE) as path:
        document = read_document(path, source=FILE)
    value, problems = validate(Settings, document)
    if value is None or problems or document.problems:
        raise InputError(document.source, [*problems, *document.problems])
    return value


def first_setting(name: str, setting: str | None) -> dict[str, Fixed] | None:
    """The knobs of a published setting (the authors' own where none is named), of a wrapper with those of its loss.

    None where there is none of that name.
    """
    knobs: dict[str, Fixed] = {}
    for named in _named(name, setting):
        if named is None:
            return None
        knobs = {**named.knobs, **knobs}
    return knobs


def first_length(name: str, setting: str | None) -> float | None:
    """The initial embedding length that a published setting belongs to; None where it is not known."""
    known = (named.belongs.length for named in _named(name, setting) if named and named.belongs.length)
    return next(known, None)


def _named(name: str, setting: str | None) -> list[Published | None]:
    """The setting of each part of a loss's name; a part of a wrapped loss without it has the authors' own."""
    settings = [published().get(part, {}) for part in parts(name)]
    own = setting or DEFAULT
    return [named.get(own) or (named.get(DEFAULT) if len(settings) > 1 else None) for named in settings]


def differences(belongs: Belongs, protocol: Protocol, batch: Batch) -> list[str]:
    """How a protocol differs from what a setting was tuned with, as phrases."""
    trunk, loss = protocol.recipe.optimizers.trunk, protocol.recipe.optimizers.loss
    pairs = {
        "optimizer": (belongs.optimizer, trunk.name),
        "trunk rate": (belongs.trunk_lr, trunk.lr),
        "rate of the loss's own parameters": (belongs.loss_lr, loss.lr),
        "initialisation of the loss": (belongs.loss_init, protocol.recipe.loss_init),
        "embedding dimensions": (belongs.embedding_dim, protocol.embedding_dim),
        "images of a batch": (belongs.batch, batch.classes * batch.per_class),
        "images of a class in it": (belongs.per_class, batch.per_class),
    }
    return [
        f"{what} {theirs} (here {ours or 'searched'})"
        for what, (theirs, ours) in pairs.items()
        if theirs not in (None, ours)
    ]
