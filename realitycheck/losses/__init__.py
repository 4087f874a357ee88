"""Losses of deep metric learning: `names()` lists the menu, `build(name, …)` makes one."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import MENU

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build", "names"]


def names() -> list[str]:
    """The menu."""
    return list(MENU)


def build(name: str, *, num_classes: int, embedding_dim: int, **knobs: float | int | str) -> nn.Module:
    """A loss of the menu, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        name: a name of the menu.
        num_classes: training classes C, for losses that learn one vector per class.
        embedding_dim: embedding dimensions D, likewise.
        knobs: the loss's own knobs, every one of them.

    Raises:
        InputError: there is no such loss, or a knob is missing or too many.
    """
    if name not in MENU:
        says = f"must be one of {', '.join(MENU)}; got '{name}'."
        raise InputError("losses.build", [Problem(0, "name", says)])
    module, _, cls = MENU[name].address.partition(":")
    found = getattr(import_module(module), cls)
    asked = set(inspect.signature(found).parameters)
    offered = {"num_classes": num_classes, "embedding_dim": embedding_dim}
    if set(knobs) != asked - set(offered):
        says = f"must be {sorted(asked - set(offered))} for {name}; got {sorted(knobs)}."
        raise InputError("losses.build", [Problem(0, "knobs", says)])
    loss: nn.Module = found(**knobs, **{key: value for key, value in offered.items() if key in asked})
    return loss
