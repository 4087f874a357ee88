"""Losses of deep metric learning: `names()` lists the menu, `build(name, …)` makes one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from realitycheck.errors import InputError, Problem
from realitycheck.losses.construct import construct, knobs_of
from realitycheck.losses.menu import MENU, parts

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build", "names"]


def names() -> list[str]:
    """The menu. A wrapper is written with the loss that it wraps: `cross_batch_memory(contrastive)`."""
    return list(MENU)


def build(name: str, *, num_classes: int, embedding_dim: int, seed: int = 0, **knobs: float | int | str) -> nn.Module:
    """A loss of the menu, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        name: a name of the menu, or `wrapper(name)`.
        num_classes: training classes C, for losses that learn one vector per class.
        embedding_dim: embedding dimensions D, likewise.
        seed: for losses that draw at random.
        knobs: the loss's own knobs, every one of them.

    Raises:
        InputError: there is no such loss, or a knob is missing or too many.
    """
    missing = [part for part in parts(name) if part not in MENU]
    if missing:
        says = f"must be one of {', '.join(MENU)}; got '{missing[0]}'."
        raise InputError("losses.build", [Problem(0, "name", says)])
    addresses = [MENU[part].address.partition(":") for part in parts(name)]
    classes = [getattr(import_module(module), found) for module, _, found in addresses]
    asked = set(knobs_of(*classes))
    if set(knobs) != asked:
        says = f"must be {sorted(asked)} for {name}; got {sorted(knobs)}."
        raise InputError("losses.build", [Problem(0, "knobs", says)])
    return construct(*classes, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=knobs)
