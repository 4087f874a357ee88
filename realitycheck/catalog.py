"""A name of a menu, or an address `module:Class`, becomes a class, and a loss is built out of its class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.errors import InputError, Problem
from realitycheck.losses.build import construct
from realitycheck.losses.menu import MENU as LOSSES
from realitycheck.losses.menu import parts
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.names import is_address
from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.space import Space, middle
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


def resolve_loss(name: str) -> tuple[type[Any], ...]:
    """The class of a loss's name on the menu, or of an address `module:Class`; of `wrapper(name)` both classes.

    Raises:
        InputError: there is no such name, the module cannot be imported, or it has no such class.
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
        raise _wrong(name, f"must be a {kind} of the menu; got '{name}'. {nearest(name, list(menu))}")
    module_name, _, class_name = menu.get(name, name).partition(":")
    module = _import(name, module_name)
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        classes = [each for each, value in vars(module).items() if inspect.isclass(value)]
        raise _wrong(name, f"must be a class of {module_name}; got '{class_name}'. {nearest(class_name, classes)}")
    return found


def build_dataset(choice: DatasetChoice) -> Dataset:
    """The images of a study's dataset; a dataset that lies in a folder is told its root.

    Raises:
        InputError: there is no such dataset, or its folder is not as it must be.
    """
    found = resolve_dataset(choice.address)
    built: Dataset = found() if choice.root is None else found(root=choice.root)
    return built


def build_trunk(choice: TrunkChoice, *, in_channels: int) -> Trunk:
    """The trunk of a recipe with random weights.

    Args:
        choice: its name, and its width or variant where it asks for one.
        in_channels: channels of an image.

    Raises:
        InputError: there is no such trunk, or it asks for something else.
    """
    found = resolve_trunk(choice.name)
    told = {"channels": choice.channels, "model": choice.model}
    asked = inspect.signature(found).parameters
    for name, value in told.items():
        if (value is None) == (name in asked):
            must = "given" if value is None else "left out"
            raise _wrong("the protocol", f"must have {name} {must} for {choice.name}; got {value}. Mend it.")
    built: Trunk = found(in_channels=in_channels, **{name: told[name] for name in told if name in asked})
    return built


def credit(address: str) -> str:
    """The line of attribution that a dataset asks for; empty where none is due."""
    return str(getattr(resolve_dataset(address), "credit", ""))


def build_loss(
    address: str, *, num_classes: int, embedding_dim: int, seed: int, knobs: Mapping[str, float | int | str]
) -> nn.Module:
    """The loss of a name or address, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        address: a name of the menu, `module:Class`, or `wrapper(name)`.
        num_classes: number of training classes C, offered to losses that ask for it.
        embedding_dim: embedding dimensions D, offered as `embedding_dim` or `embedding_size`.
        seed: offered to losses that draw at random.
        knobs: the loss's own knobs by name.

    Raises:
        InputError: there is no such loss.
    """
    classes = resolve_loss(address)
    return construct(*classes, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=knobs)


def middle_knobs(space: Space) -> dict[str, float | int | str]:
    """One setting of a space: every knob in the middle of its range."""
    return {name: middle(bounds) for name, bounds in space.items()}


def _wrong(name: str, says: str) -> InputError:
    return InputError(name, [Problem(0, "", says)])


def _import(name: str, module_name: str) -> Any:
    try:
        return import_module(module_name)
    except Exception as error:  # a stranger's module may raise anything while it is imported
        cause = f"{type(error).__name__}: {error}"
        says = f"must be in a module that imports; got {cause} from {module_name}. Install or mend it."
        raise _wrong(name, says) from error
