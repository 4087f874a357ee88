"""From a name of a menu, or an address `module:Class`, to the class; and from the class to a loss, dataset or trunk."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.errors import InputError, Problem
from realitycheck.losses.build import construct
from realitycheck.losses.global_draws import seeded
from realitycheck.losses.menu import MENU as LOSSES
from realitycheck.losses.menu import parts
from realitycheck.plugin_source import literal_of
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.protocol.space import Space, middle
from realitycheck.protocol.validation import nearest
from realitycheck.trunks.menu import MENU as TRUNKS

if TYPE_CHECKING:
    from torch import nn

    from realitycheck.datasets.base import Dataset
    from realitycheck.trunks.base import Trunk

Kind = Literal["loss", "dataset", "trunk"]

_ADDRESSES: dict[Kind, dict[str, str]] = {
    "loss": {name: entry.address for name, entry in LOSSES.items()},
    "dataset": {name: entry.address for name, entry in DATASETS.items()},
    "trunk": {name: entry.address for name, entry in TRUNKS.items()},
}


def is_address(name: str) -> bool:
    """Whether a name is an address, `module:Class`, and not one of a menu."""
    return ":" in name


def resolve_loss(name: str) -> tuple[type[Any], ...]:
    """The class of a loss's name on the menu, or of an address `module:Class`; of `wrapper(name)` both classes.

    Raises:
        InputError: the name is unknown, the module cannot be imported, or it has no such class.
    """
    return tuple(_resolve(part, "loss") for part in parts(name))


def resolve_dataset(name: str) -> type[Any]:
    """The class of a dataset, as `resolve_loss`."""
    return _resolve(name, "dataset")


def resolve_trunk(name: str) -> type[Any]:
    """The class of a trunk, as `resolve_loss`."""
    return _resolve(name, "trunk")


def _resolve(name: str, kind: Kind) -> type[Any]:
    menu = _ADDRESSES[kind]
    if not is_address(name) and name not in menu:
        raise InputError.one(name, f"{kind}-unknown", f"unknown {kind} '{name}'. {nearest(name, list(menu))}")
    module_name, _, class_name = menu.get(name, name).partition(":")
    module = _import(name, module_name)
    resolved = getattr(module, class_name, None)
    if not inspect.isclass(resolved):
        classes = [known for known, value in vars(module).items() if inspect.isclass(value)]
        says = f"unknown class '{class_name}' of {module_name}. {nearest(class_name, classes)}"
        raise InputError.one(name, "class-unknown", says)
    return resolved


def build_dataset(choice: DatasetChoice) -> Dataset:
    """The images of a study's dataset, built with its root where it has one.

    Raises:
        InputError: the dataset is unknown, or its folder is wrong.
    """
    resolved = resolve_dataset(choice.address)
    options = {"root": choice.root, "exclude": choice.exclude or None}
    built: Dataset = resolved(**{name: value for name, value in options.items() if value is not None})
    return built


def build_trunk(choice: TrunkChoice, *, in_channels: int) -> Trunk:
    """The trunk of a recipe with random weights.

    Args:
        choice: its name, and its width or variant where it takes one.
        in_channels: channels of an image.

    Raises:
        InputError: the trunk is unknown, or it takes other options; the problems are at these options.
    """
    resolved = resolve_trunk(choice.name)
    options = {"channels": choice.channels, "model": choice.model}
    takes = inspect.signature(resolved).parameters
    problems = [*_wrong_options(choice.name, options, takes)]
    if problems:
        raise InputError("the protocol", problems)
    built: Trunk = resolved(in_channels=in_channels, **{name: options[name] for name in options if name in takes})
    return built


def _wrong_options(trunk: str, options: Mapping[str, object], takes: Collection[str]) -> Iterator[Problem]:
    for name, value in options.items():
        if value is None and name in takes:
            yield Problem(0, name, f"missing key: {trunk} needs it; add `{name}: …`.", "trunk-option-missing")
        if value is not None and name not in takes:
            says = f"`{name}` is not allowed here: {trunk} does not take it. Remove it."
            yield Problem(0, name, says, "trunk-option-not-allowed")


def trunk_width(choice: TrunkChoice) -> int:
    """F, the channels of a trunk's feature map: from the menu, or where it does not say, of the trunk itself."""
    known = TRUNKS[choice.name].output_dim if choice.name in TRUNKS else None
    return known or build_trunk(choice, in_channels=3).output_dim


def credit(address: str) -> str:
    """The line of attribution that a dataset asks for; empty where it asks for none.

    A class by address is not imported: its line is read from its source.
    """
    return literal_of(address, "credit") if is_address(address) else str(resolve_dataset(address).credit)


def build_loss(
    address: str, *, num_classes: int, embedding_dim: int, seed: int, knobs: Mapping[str, float | int | str]
) -> nn.Module:
    """The loss of a name or address, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        address: a name of the menu, `module:Class`, or `wrapper(name)`.
        num_classes: number of training classes C, for losses that take it.
        embedding_dim: embedding dimensions D, as `embedding_dim` or `embedding_size`.
        seed: for losses that draw at random.
        knobs: the loss's own knobs by name.

    Raises:
        InputError: the loss is unknown.
    """
    classes = resolve_loss(address)
    return construct(*classes, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=knobs)


def middle_knobs(space: Space) -> dict[str, float | int | str]:
    """One setting of a space: every knob in the middle of its range."""
    return {name: middle(bounds) for name, bounds in space.items()}


def _import(name: str, module_name: str) -> Any:
    try:
        with seeded(0):  # a constant that a module draws is the same in every process
            return import_module(module_name)
    except (Exception, SystemExit) as error:  # the module of a study's author may raise anything while it is imported
        says = f"cannot import {module_name}: {type(error).__name__}: {error}. Install or correct the module."
        raise InputError.one(name, "module-fails", says) from error
